package platform

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
)

// A shop of orders with texts as ids stands next to the lab's tables in one database, so that one platform can go from
// the one to the other.

const (
	orderClients = 12
	orderGoods   = 10
	orderSales   = orderClients*6 + 2 // of clients, with those that are skipped
	orderRanges  = 4                  // of 20 sales and more
)

// orderFile is its shop file.
const orderFile = `interactions:
  sales:
    type: purchase
    query: SELECT s.client AS customer, s.code AS product, s.sold_at AS at, s.pieces AS quantity FROM sales s WHERE {{range s.client}}
customers:
  query: SELECT id AS customer, city, country FROM clients WHERE {{range id}}
  columns: {city: category, country: category}
  group: country
products:
  query: SELECT code AS product, title, shelf, price, stock FROM goods
  columns: {title: name, shelf: category, price: price, stock: stock}
`

// orderClient is an id that needs escapes in keys, JSON and CSV.
func orderClient(i int) string { return fmt.Sprintf(`Cus %02d/é,"x"`, i) }

// orderTables returns the statements that make the tables: sales on two days of each of three months, one to a guest, and
// one of a product that was deleted.
func orderTables() (statements []string) {
	add := func(format string, values ...any) { statements = append(statements, fmt.Sprintf(format, values...)) }
	add("create table clients (id varchar(40) primary key, city varchar(50), country varchar(50))")
	add("create table goods (code varchar(20) primary key, title varchar(50), shelf varchar(20), price decimal(8,2), stock int)")
	add("create table sales (client varchar(40), code varchar(20), sold_at datetime, pieces int, key (client))")
	add("insert into sales values (null, 'good-0', '2024-01-01 10:00:00', 1), ('%s', 'gone', '2024-02-01 10:00:00', 1)", orderClient(3))
	for product := range orderGoods {
		add("insert into goods values ('good-%d', 'Good %[1]d', 'shelf %d', %[1]d.50, 5)", product, product%2)
	}
	for client := range orderClients {
		add("insert into clients values ('%s', 'Oslo', 'Norway')", orderClient(client))
		for sale := range 6 {
			add("insert into sales values ('%s', 'good-%d', '2024-%02d-%02d 10:00:00', %d)",
				orderClient(client), 2*(sale+client)%orderGoods+client%2, sale/2+1, sale%2+1, sale+1)
		}
	}
	return statements
}

// orderDump writes them as a dump.
func orderDump(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "tables.sql")
	if err := os.WriteFile(path, []byte(strings.Join(orderTables(), ";\n")+";\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// filesShop puts interactions as files into the lake, and returns the path of their shop file.
func filesShop(tb testing.TB, p *Platform) string {
	tb.Helper()
	var lines strings.Builder
	lines.WriteString("who,what,when\n")
	for client := range orderClients {
		for sale := range 6 {
			fmt.Fprintf(&lines, "c%d,good-%d,2024-%02d-%02d 10:00:00\n", client, (sale+client)%orderGoods, sale/2+1, sale%2+1)
		}
	}
	_, err := p.Store(LakeBucket).Put(tb.Context(), lake.SourcePrefix+"clicks.csv", strings.NewReader(lines.String()))
	if err != nil {
		tb.Fatal(err)
	}
	return writeShop(tb, "clicks", "interactions: {clicks: {type: view, files: '*.csv', names: {customer: who, product: what, at: when}}}\ntraining: {exclude: []}\n")
}

// writeShop writes a shop file.
func writeShop(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name+".yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// deployShop gives plan-extract another shop file, or NoShopFile, as a deployment does. Runs that are under way go on.
func deployShop(tb testing.TB, p *Platform, file string) {
	tb.Helper()
	p.config.ShopFile, p.shopFile = file, ""
	if err := p.prepareShopFile(); err != nil {
		tb.Fatal(err)
	}
	if err := p.Register(); err != nil {
		tb.Fatal(err)
	}
}

// wantOrders wants a whole snapshot of the orders to be visible, by the pointer, the Glue table and DuckDB.
func wantOrders(t *testing.T, p *Platform, run, hash string) {
	t.Helper()
	var latest lake.Latest
	if _, err := p.Store(LakeBucket).GetJSON(t.Context(), lake.LatestKey, 1<<20, &latest); err != nil {
		t.Fatal(err)
	}
	manifest, table := manifestOf(t, p, run), glueTable(t, p).Table
	if latest.Snapshot != run || latest.Shop != hash || manifest.Shape().Hash != hash || *table.StorageDescriptor.Location != latest.Location ||
		table.Parameters["snapshot"] != run {
		t.Errorf("the pointer shows %+v, the Glue table %v; want %s of the shop file %s", latest, table.Parameters, run, hash)
	}
	if manifest.Rows != orderSales-2 || len(manifest.Parts) != orderRanges || manifest.Skipped["guest"] != 1 || manifest.Skipped["unknown-product"] != 1 {
		t.Errorf("%d rows in %d parts, skipped %v", manifest.Rows, len(manifest.Parts), manifest.Skipped)
	}
	clients := map[string]int{}
	for _, row := range readDataSet(t, p, run, "customer, product").Rows {
		clients[fmt.Sprint(row["customer"])]++
	}
	for i := range orderClients {
		if clients[orderClient(i)] != 6 {
			t.Errorf("%s has %d rows, want 6", orderClient(i), clients[orderClient(i)])
		}
	}
}

// order is a record of a client of the shop of orders.
func order(client int) string {
	return fmt.Sprintf(`{"session_id":"s-%d","customer":%q,"browse_history":[]}`, client, orderClient(client))
}

// wantOrderAnswer wants goods that the client has not bought, by a version's model.
func wantOrderAnswer(t *testing.T, p *Platform, version int64) {
	t.Helper()
	answer := ask(t, p, order(4))[0]
	if answer.Rejected != "" || answer.Recommendation.ModelVersion != version || len(answer.Recommended) == 0 {
		t.Errorf("answered with %+v, want goods by version %d", answer, version)
	}
	for _, item := range answer.Recommended {
		if !slices.Contains([]string{"good-1", "good-3", "good-5", "good-7", "good-9"}, item.ID) { // bought are the even ones
			t.Errorf("recommended %s", item.ID)
		}
	}
}
