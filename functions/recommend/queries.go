package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// asking is the questions of a batch as the arrays that two pgx.Batches carry (arrays.go), and the place where their
// rows arrive (rows.go).
//
// Why the queries look as they do (PostgreSQL 17, pgvector 0.8): the HNSW index serves a LATERAL subquery with
// ORDER BY embedding <operator> vector LIMIT constant, once a record; with another ORDER BY, or a LIMIT
// that is a parameter and so counts as a tenth of the table, the planner reads the whole table each time. What may not
// be recommended is filtered inside of it, and the index goes on until the limit is reached. The filters are subqueries
// with OFFSET 0: probes of a primary key, made for those candidates only that come along. Without it they become joins,
// for which the planner may read a whole table and sort it. The planner plans once for all batches and takes each to be of
// ten records: nothing here joins a batch with itself, which would be quadratic by a plan made for ten.
type asking struct {
	version     vectorstore.ActiveVersion
	options     settings.Ranking
	storedFirst bool // the stored vector goes before the model's
	// plain asks for no more than what cannot fail: the session moves no vector, and a search ends where a filter leaves
	// it short, to be filled up with what is popular.
	plain     bool
	now       time.Time
	questions []question
}

// recommended is the search for what to recommend.
func (a *asking) recommended() *pgx.Batch {
	batch := a.search()
	a.queueRecommended(batch)
	batch.Queue("commit")
	return batch
}

// similar is the search for what is similar to the sessions' products; nil where there are none.
func (a *asking) similar() *pgx.Batch {
	if !slices.ContainsFunc(a.questions, func(q question) bool { return len(q.session) > 0 }) {
		return nil
	}
	batch := a.search()
	a.queueSimilar(batch)
	batch.Queue("commit")
	return batch
}

// search begins a transaction in which the index finds enough.
func (a *asking) search() *pgx.Batch {
	// At least one more than is wanted: the similar items leave one out. 1,000 is pgvector's largest.
	efSearch := min(max(a.version.EfSearch, a.candidates()+1), 1000)
	// Since pgvector 0.8, a scan that a filter leaves short goes on; in relaxed order it leaves nothing out on its way.
	iterative := "relaxed_order"
	if a.plain {
		iterative = "off"
	}
	batch := &pgx.Batch{}
	batch.Queue("begin read only")
	batch.Queue(`select set_config('hnsw.ef_search', $1::text, true), (select set_config('hnsw.iterative_scan', $2::text, true)
		from pg_extension where extname = 'vector' and string_to_array(extversion, '.')::int[] >= '{0,8}')`, strconv.Itoa(efSearch), iterative)
	return batch
}

// weight is the session's, 0 to 1.
func (a *asking) weight() float64 {
	if a.plain {
		return 0
	}
	return a.options.SessionWeight
}

// candidates is how many items a search is to find.
func (a *asking) candidates() int {
	if a.options.Diversity > 0 {
		return a.options.Limit * ranking.Overfetch
	}
	return a.options.Limit
}

// sql fills in what is the same for a whole batch.
func (a *asking) sql(text string) string {
	n := a.version.Version
	return strings.NewReplacer(
		"{items}", vectorstore.ItemTable(n), "{users}", vectorstore.UserTable(n),
		"{popularity}", vectorstore.PopularityTable(n), "{rated}", vectorstore.RatedTable(n),
		"{attributes}", vectorstore.AttributeTable(n), "{codes}", vectorstore.CodeTable(n),
		"{trending}", vectorstore.TrendingTable, "{carts}", vectorstore.CartTable,
		"{limit}", strconv.Itoa(a.options.Limit), "{operator}", a.version.Metric.Operator(),
	).Replace(text)
}

// queueRecommended asks for the items nearest to each record's vector and, for those records that lack some then, for
// the rungs below. One statement, since the database alone knows in time which records those are. Each rung gives up to
// limit items, whatever those above it gave: so with any full rung the list is full.
// Rows: record, rung, strategy, item, distance or negative score, product line; by record, rung, and the best first.
func (a *asking) queueRecommended(batch *pgx.Batch) {
	own, strategy, stored := a.ownVector()
	query := `
		with given as materialized (
			select a.record, a.customer, a.country, a.vector, a.weights::int[] as weights, known.session
			from unnest($1::int[], $2::int[], $3::text[], $4::vector[], $5::text[], $6::text[], $7::text[])
				a(record, customer, country, vector, session, folded, weights)
			cross join lateral (` + a.spelled() + `) known
		), asked as (
			select a.record, a.customer, a.country, a.session,
				` + own + ` as own, ` + strategy + ` as strategy, session.mean
			from given a left join {users} stored on ` + stored + `
			left join lateral (
				select avg(item.embedding) as mean
				from (select product, max(weight) as weight from unnest(a.session, a.weights) p(product, weight) group by product) p
					cross join lateral (select embedding from {items} where id = p.product offset 0) item
					cross join lateral generate_series(1, p.weight)
				where p.weight > 0 having vector_norm(avg(item.embedding)) > 0
			) session on true
		), q as materialized (
			select record, customer, country, session, strategy, ` + a.blend() + ` as vector from asked
		), near as materialized (
			select q.record, q.strategy, near.id, near.distance
			from q cross join lateral (` + a.nearest("q.vector", a.eligible("candidate.id", "q"), a.candidates()) + `) near
			where q.vector is not null and near.distance > '-infinity' and near.distance < 'infinity'
		), short as materialized (
			select record, customer, country, session from q
			where record not in (select record from near group by record having count(*) >= {limit})
		)` + a.hot() + `
		select record, 0, strategy, id, distance, ` + a.line("near.id") + ` from near
		union all ` + a.trending() + `
		select s.record, of.rung, '', top.item, -top.count, '' from short s
			cross join lateral (values (2, s.country), (3, '` + vectorstore.AnyCountry + `')) of(rung, country)
			cross join lateral (` + a.popular("of.country") + `) top
			where of.rung = 3 or of.country <> '` + vectorstore.AnyCountry + `'
		order by 1, 2, 5, 4`
	batch.Queue(a.sql(query), a.parameters()...).Query(a.takeRecommended)
}

func (a *asking) parameters() []any {
	n := len(a.questions)
	records, customers, countries := make([]int32, n), make([]*int32, n), make([]string, n)
	vectors, sessions, folded, weights := make([]*pgvector.Vector, n), make([]string, n), make([]string, n), make([]string, n)
	for i := range a.questions {
		q := &a.questions[i]
		records[i] = int32(i)
		customers[i] = customerID(q.record.CustomerNumber)
		countries[i] = vectorstore.CountryKey(q.record.Country)
		if q.vector != nil {
			vector := pgvector.NewVector(q.vector)
			vectors[i] = &vector
		}
		sessions[i], folded[i] = products(q.session)
		weights[i] = a.weights(q)
	}
	parameters := []any{records, customers, countries, vectors, sessions, folded, weights}
	if a.trends() {
		parameters = append(parameters, a.now)
	}
	return parameters
}

// ownVector is the customer's vector, by the model or stored, the name of which it is, and for whom the stored one is
// looked up.
func (a *asking) ownVector() (vector, strategy, stored string) {
	const choose = `case when %s is not null then '%s' when %s is not null then '%s' else '%s' end`
	if a.storedFirst {
		return `coalesce(stored.embedding, a.vector)`,
			fmt.Sprintf(choose, "stored.embedding", activity.StoredVector, "a.vector", activity.Model, activity.History),
			`stored.id = a.customer`
	}
	return `coalesce(a.vector, stored.embedding)`,
		fmt.Sprintf(choose, "a.vector", activity.Model, "stored.embedding", activity.StoredVector, activity.History),
		`stored.id = a.customer and a.vector is null`
}

// blend is the vector that is searched by: (1-w) × the customer's + w × the session's, the latter brought to the length
// of the former, so that the weight says the same whatever the lengths are. By the metric l2 vectors are places and not
// directions: there it stays as it is. Where the two cancel each other out it is the customer's.
func (a *asking) blend() string {
	w := a.weight()
	if w == 0 {
		return `coalesce(own, mean)`
	}
	length := `vector_norm(own) / vector_norm(mean)`
	if a.version.Metric == distance.L2 {
		length = `1`
	}
	times := func(factor string) string {
		return fmt.Sprintf(`array_fill((%s)::real, array[%d])::vector`, factor, a.version.Dimension)
	}
	return fmt.Sprintf(`case when own is null then mean when mean is null then own else
		(select case when vector_norm(v) > 0 then v else own end from (select own * %s + mean * %s as v offset 0) blended) end`,
		times(fmt.Sprint(1-w)), times(fmt.Sprintf("%v * %s", w, length)))
}

// nearest is the subquery that the index serves: (id, distance) of the items nearest to a vector.
func (a *asking) nearest(vector, where string, limit int) string {
	distance := "candidate.embedding {operator} " + vector
	return fmt.Sprintf("select candidate.id, %s as distance from {items} candidate where %s order by %s limit %d",
		distance, where, distance, limit)
}

// eligible is the condition that an item may be recommended to a record of the table q.
func (a *asking) eligible(item, q string) string {
	conditions := "true"
	if !a.options.IncludeSession {
		conditions += fmt.Sprintf(" and %s <> all (%s.session)", item, q)
	}
	if a.version.HasCodes {
		conditions += fmt.Sprintf(" and not exists (select from {codes} c where c.item = %s and c.gone offset 0)", item)
	}
	if !a.options.IncludeRated && a.version.HasShop {
		conditions += fmt.Sprintf(" and not exists (select from {rated} r where r.customer = %s.customer and r.item = %s offset 0)", q, item)
	}
	if !a.options.IncludeOutOfStock && a.version.HasShop {
		conditions += fmt.Sprintf(" and not exists (select from {attributes} a where a.item = %s and a.stock <= 0 offset 0)", item)
	}
	return conditions
}

// spelled is the products of a session as the shop spells them, for a record of the table a. A code finds the product
// that has it exactly, else the only one that differs in nothing but case (vectorstore.CodeTable). A code that finds none
// stays as it is.
func (a *asking) spelled() string {
	return `select coalesce(array_agg(` + a.spelling("p.product", "p.folded") + ` order by p.place), '{}') as session
		from unnest(a.session::text[], a.folded::text[]) with ordinality p(product, folded, place)`
}

// spelling is the shop's spelling of a code.
func (a *asking) spelling(code, folded string) string {
	if !a.version.HasCodes {
		return code
	}
	return `coalesce((select item from {codes} where folded = ` + folded + `), ` + code + `)`
}

// line is an item's product line, where somebody wants to know it.
func (a *asking) line(item string) string {
	if a.options.Diversity == 0 || !a.version.HasShop {
		return `''`
	}
	return `coalesce((select line from {attributes} where item = ` + item + `), '')`
}

// popular is (item, count) of the most rated items of a country, for a record of the table s.
func (a *asking) popular(country string) string {
	return `select p.item, p.count from {popularity} p where p.country = ` + country + ` and ` + a.eligible("p.item", "s") + `
		order by p.count desc, p.item limit {limit}`
}

// queueSimilar asks for the items nearest to the most telling known product of each session.
func (a *asking) queueSimilar(batch *pgx.Batch) {
	var records []int32
	var customers []*int32
	var sessions, folds []string
	for i := range a.questions {
		if q := &a.questions[i]; len(q.session) > 0 {
			records = append(records, int32(i))
			customers = append(customers, customerID(q.record.CustomerNumber))
			session, folded := products(q.session)
			sessions, folds = append(sessions, session), append(folds, folded)
		}
	}
	batch.Queue(a.sql(`
		with q as materialized (
			select a.record, a.customer, own.session, known.id, known.embedding
			from unnest($1::int[], $2::int[], $3::text[], $4::text[]) a(record, customer, session, folded)
			cross join lateral (`+a.spelled()+`) own cross join lateral (
				select p.product as id, item.embedding
				from unnest(own.session) with ordinality p(product, place)
					cross join lateral (select embedding from {items} where id = p.product offset 0) item
				order by p.place limit 1
			) known
		)
		select q.record, q.id, near.id, near.distance
		from q left join lateral (`+a.nearest("q.embedding", "candidate.id <> q.id and "+a.eligible("candidate.id", "q"), a.options.Limit)+`) near on true
		order by q.record, near.distance, near.id`),
		records, customers, sessions, folds).Query(a.takeSimilar)
}
