package platform

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	_ "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"recsys/infra/local/aws/eventsource"
	"recsys/infra/local/sample"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/lake"
	"recsys/shared/stream/activity"
)

// The tests of faults work on a shop and hand-overs that are so small that a run takes about a second.

const (
	looseCustomers = 40 // 101 to 140
	looseProducts  = 25 // P01 to P25
	looseRatings   = looseCustomers * looseProducts
)

// looseShop writes a shop as a dump with tables without constraints, which take any later insert. Every customer has
// rated every product.
func looseShop(tb testing.TB, others ...[]string) string {
	tb.Helper()
	var dump strings.Builder
	dump.WriteString(`create table customers (customerNumber int, city varchar(50), state varchar(50), postalCode varchar(15),
  country varchar(50), creditLimit decimal(14,2));
create table products (productCode varchar(15), productLine varchar(50), productScale varchar(10), quantityInStock int,
  buyPrice decimal(14,2), MSRP decimal(14,2));
create table ratings (customerNumber int, productCode varchar(15), productRating int);
`)
	for customer := 101; customer <= 100+looseCustomers; customer++ {
		fmt.Fprintf(&dump, "insert into customers values (%d, 'Nantes', null, '44000', 'France', 21000.00);\n", customer)
		var rows []string
		for product := 1; product <= looseProducts; product++ {
			rows = append(rows, fmt.Sprintf("(%d, 'P%02d', %d)", customer, product, 1+(customer+product)%5))
		}
		fmt.Fprintf(&dump, "insert into ratings values %s;\n", strings.Join(rows, ", "))
	}
	for product := 1; product <= looseProducts; product++ {
		fmt.Fprintf(&dump, "insert into products values ('P%02d', 'Ships', '1:72', 10, 48.81, 95.70);\n", product)
	}
	for _, code := range slices.Concat(others...) {
		fmt.Fprintf(&dump, "insert into products values ('%s', 'Ships', '1:72', 10, 48.81, 95.70);\n", code)
	}
	file := filepath.Join(tb.TempDir(), "shop.sql")
	if err := os.WriteFile(file, []byte(dump.String()), 0o644); err != nil {
		tb.Fatal(err)
	}
	return file
}

// changeSource runs statements in the shop's database.
func changeSource(ctx context.Context, p *Platform, statements ...string) error {
	db, err := sql.Open("mysql", p.Endpoints.Source)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func inSource(tb testing.TB, p *Platform, statements ...string) {
	tb.Helper()
	if err := changeSource(tb.Context(), p, statements...); err != nil {
		tb.Fatal(err)
	}
}

// handOver is the hand-over of a data scientist without a model: vectors of items and of customers 101 to 140.
type handOver struct {
	items map[string][]float32
	users map[int64][]float32
	files fstest.MapFS
}

// called returns 30 ids of items, <prefix>-00 to <prefix>-29.
func called(prefix string) (ids []string) {
	for i := range 30 {
		ids = append(ids, fmt.Sprintf("%s-%02d", prefix, i))
	}
	return ids
}

// sampleItems are the ids of the sample's hand-over.
func sampleItems(tb testing.TB) (ids []string) {
	tb.Helper()
	lines := strings.Split(strings.TrimSpace(string(filesOf(tb, sample.Artifacts())[lake.ItemEmbeddingsKey].Data)), "\n")
	for _, line := range lines[1:] {
		id, _, _ := strings.Cut(line, ",")
		ids = append(ids, strings.Trim(id, `"`))
	}
	return ids
}

// newHandOver makes vectors up of the items called with the prefix.
func newHandOver(prefix string, dimension int, seed uint64) handOver {
	return vectorsOf(called(prefix), dimension, seed)
}

// handOverOf makes vectors up, each of its own direction.
func vectorsOf(items []string, dimension int, seed uint64) handOver {
	random := rand.New(rand.NewPCG(seed, 1))
	h := handOver{map[string][]float32{}, map[int64][]float32{}, fstest.MapFS{}}
	itemLines, userLines := &strings.Builder{}, &strings.Builder{}
	vector := func(file *strings.Builder, id string) []float32 {
		numbers, texts := make([]float32, dimension), make([]string, dimension)
		for i := range numbers {
			numbers[i] = float32(random.NormFloat64())
			texts[i] = fmt.Sprint(numbers[i])
		}
		fmt.Fprintf(file, "%s,\"[%s]\"\n", id, strings.Join(texts, ","))
		return numbers
	}
	itemLines.WriteString("id,embedding\n")
	userLines.WriteString("id,embedding\n")
	for _, id := range items {
		h.items[id] = vector(itemLines, id)
	}
	for customer := int64(101); customer <= 100+looseCustomers; customer++ {
		h.users[customer] = vector(userLines, fmt.Sprint(customer))
	}
	h.files[lake.ItemEmbeddingsKey] = &fstest.MapFile{Data: []byte(itemLines.String())}
	h.files[lake.UserEmbeddingsKey] = &fstest.MapFile{Data: []byte(userLines.String())}
	return h
}

// nearest computes the right answer for a customer: the five items of the highest cosine.
func (h handOver) nearest(customer int64) []activity.Scored {
	var all []activity.Scored
	for id, item := range h.items {
		var dot, itemSquare, userSquare float64
		for i, x := range h.users[customer] {
			dot += float64(x) * float64(item[i])
			itemSquare += float64(item[i]) * float64(item[i])
			userSquare += float64(x) * float64(x)
		}
		all = append(all, activity.Scored{ID: id, Score: dot / math.Sqrt(itemSquare*userSquare)})
	}
	slices.SortFunc(all, func(a, b activity.Scored) int { return cmp.Compare(b.Score, a.Score) })
	return all[:5]
}

func sameList(got, want []activity.Scored) bool {
	return slices.EqualFunc(got, want, func(a, b activity.Scored) bool { return a.ID == b.ID && math.Abs(a.Score-b.Score) < 1e-5 })
}

// filesOf copies a file system, to be changed.
func filesOf(tb testing.TB, from fs.FS) fstest.MapFS {
	tb.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

// upload hands files over, in the place of all that was handed over before.
func upload(tb testing.TB, p *Platform, files fs.FS) {
	tb.Helper()
	if err := p.UploadArtifacts(tb.Context(), files); err != nil {
		tb.Fatal(err)
	}
}

// inVectorStore asks PostgreSQL, as the database's owner, for one row.
func inVectorStore(tb testing.TB, p *Platform, query string, into ...any) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), p.Endpoints.VectorStore)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(tb.Context())
	if err := conn.QueryRow(tb.Context(), query).Scan(into...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// wait waits until the event source mapping's counts are as wanted. If they do not become so, it names them.
func wait(tb testing.TB, p *Platform, wanted func(eventsource.Stats) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), testbed.Patience)
	defer cancel()
	if err := p.Mapping.Wait(ctx, wanted); err != nil {
		tb.Fatal(err)
	}
}
