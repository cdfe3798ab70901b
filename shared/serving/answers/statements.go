package answers

import (
	"cmp"
	"embed"
	"fmt"
	"strings"
	"sync"
	"text/template"

	"recsys/shared/contract/shape"
	"recsys/shared/store/vectorstore"
)

// The statements are the files in sql. The version's tables, the dimension, the operator and each limit are written into the
// text. A limit that is a parameter counts as a tenth of the table, and the planner reads the whole table for it.
// PostgreSQL 17 with pgvector 0.8 plans each text once, for all batches, and assumes ten records. So no statement joins a
// batch with itself, which would be quadratic by a plan made for ten.
//
//go:embed sql/*.sql
var files embed.FS

var templates = template.Must(template.ParseFS(files, "sql/*.sql"))

// statement is the values that go into the text of a statement.
type statement struct {
	// Version decides about the tables.
	Version           int64
	HasCodes          bool
	IDType            string // of customers
	Operator          string
	Dimension         int
	StoredFirst       bool    // the stored vector goes before the model's
	SessionWeight     float64 // 0 to 1
	ByDirection       bool    // the metric compares directions, or lengths along them
	HalfLifeSeconds   float64
	By                search // which parameters it has
	Fetch             int    // the limit
	Filtered          bool   // the search itself leaves out what may not be recommended
	Exact             bool   // the search reads all items and no index
	VectorlessOnly    bool   // only for records that no vector answers
	AskRated, AskGone bool   // which facts matter, and are known of the version
	AskSession        bool
	HasShop, Blends   bool // which tables are there, and have rows
	AskSoldOut        bool
	WithLines         bool
}

// rendered keeps the texts of statements.
type rendered struct {
	lock  sync.Mutex
	texts map[renderedKey]string
}

type renderedKey struct {
	file   string
	values statement
}

// maxRendered bounds the texts that are kept: some versions and kinds of batches.
const maxRendered = 64

// text returns the statement in a file with its values.
func (r *rendered) text(file string, values statement) string {
	key := renderedKey{file, values}
	r.lock.Lock()
	defer r.lock.Unlock()
	if text, ok := r.texts[key]; ok {
		return text
	}
	var text strings.Builder
	if err := templates.ExecuteTemplate(&text, file, values); err != nil {
		panic(err) // the files are part of the program, and a test renders all of them
	}
	if r.texts == nil || len(r.texts) >= maxRendered {
		r.texts = map[renderedKey]string{}
	}
	r.texts[key] = text.String()
	return r.texts[key]
}

// statement returns the values that all statements of a batch share.
func (q *batchQuery) statement() statement {
	v := q.version
	return statement{
		Version: v.Version, HasCodes: v.HasCodes, IDType: vectorstore.IDType(shape.OrLab(v.Shop).Customer), Operator: v.Metric.Operator(), Dimension: v.Dimension,
		StoredFirst: q.storedFirst, SessionWeight: q.sessionWeight(), ByDirection: v.Metric.ByDirection(),
		HalfLifeSeconds: q.rules.TrendingHalfLife.Seconds(), Filtered: q.depth != overfetched,
		AskSession: !q.rules.IncludeSession, AskGone: v.HasCodes, AskRated: !q.rules.IncludeRated && v.HasShop,
		AskSoldOut: !q.rules.IncludeOutOfStock && v.HasShop, HasShop: v.HasShop, Blends: v.BlendKind != "",
	}
}

// The names below are those that the files use.

// Records returns a table with a row for each record, and a column for each parameter of the search.
func (s statement) Records() string {
	var arrays, columns []string
	for p := range s.By.told {
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", len(arrays)+1, cmp.Or(p.kind, s.IDType)))
		columns = append(columns, p.column)
	}
	return fmt.Sprintf("unnest(%s) a(%s)", strings.Join(arrays, ", "), strings.Join(columns, ", "))
}

// Now returns the parameter after those of the records: the time.
func (s statement) Now() string {
	number := 1
	for range s.By.told {
		number++
	}
	return fmt.Sprintf("$%d::timestamptz", number)
}

// WithRelated reports whether it is told the items that neighbours found.
func (s statement) WithRelated() bool { return s.By == byNeighbours }

// Similar reports whether the product itself is left out.
func (s statement) Similar() bool { return s.By == byProduct }

func (s statement) Items() string      { return vectorstore.ItemTable(s.Version) }
func (s statement) Users() string      { return vectorstore.UserTable(s.Version) }
func (s statement) Popularity() string { return vectorstore.PopularityTable(s.Version) }
func (s statement) Rated() string      { return vectorstore.RatedTable(s.Version) }
func (s statement) History() string    { return vectorstore.HistoryTable(s.Version) }
func (s statement) Neighbours() string { return vectorstore.NeighbourTable(s.Version) }
func (s statement) Attributes() string { return vectorstore.AttributeTable(s.Version) }
func (s statement) Codes() string      { return vectorstore.CodeTable(s.Version) }
func (s statement) Trending() string   { return vectorstore.TrendingTable }
func (s statement) Carts() string      { return vectorstore.CartTable }
func (s statement) CartSlots() int     { return vectorstore.CartSlots }
func (s statement) AnyCountry() string { return vectorstore.AnyCountry }

func (s statement) OwnWeight() float64  { return 1 - s.SessionWeight }
func (s statement) HotTrends() int      { return hotTrends }
func (s statement) KeptTrends() int     { return KeptTrends }
func (s statement) LeastScore() float64 { return leastScore }

// Decay returns the factor by which a score of one time counts at a later one: half after each half-life.
func (s statement) Decay(from, to string) string {
	return fmt.Sprintf(`power(0.5::float8, least(greatest(extract(epoch from %s - %s)::float8, 0) / %v, %d))`,
		to, from, s.HalfLifeSeconds, maxHalvings)
}
