package shops

import (
	"bytes"
	"database/sql"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/shape"
)

var platforms = []Platform{WooCommerce, Magento, PrestaShop, UUID, Text}

// The queries of a shop file find what was bought: by whom, which product, when, how many pieces, at what price. They find
// the same in ranges, by an index.
func TestShopFilesFindThePurchases(t *testing.T) {
	shop := small(t)
	mysqltest.Each(t, func(t *testing.T, server *mysql.Server) {
		for _, p := range platforms {
			t.Run(p.Name, func(t *testing.T) {
				db, file := p.load(t, server, shop), p.file(t)
				purchases := file.Source.Interactions[0]
				whole := query(t, db, within(purchases, "TRUE"))
				p.comparePurchases(t, shop, whole)
				if cut := inRanges(t, db, purchases); !slices.Equal(sorted(cut), sorted(whole)) {
					t.Errorf("%d rows in ranges, %d in one", len(cut), len(whole))
				}
				explain(t, db, purchases)
				p.compareCustomers(t, shop, query(t, db, within(file.Source.Customers, "TRUE")))
				p.compareProducts(t, shop, query(t, db, file.Source.Products.SQL))
			})
		}
	})
}

// place is where a purchase is found: the ids and the time, as texts.
type place struct{ customer, product, at string }

type amount struct {
	quantity float64
	value    float64 // NaN if any of them is NULL
}

func (a amount) plus(quantity, value float64) amount {
	return amount{a.quantity + quantity, a.value + value}
}

func (a amount) is(b amount) bool {
	return a.quantity == b.quantity && (math.IsNaN(a.value) && math.IsNaN(b.value) || math.Abs(a.value-b.value) < 0.02)
}

// expected returns the purchases as the platform stores them.
func (p Platform) expected(shop *Shop) map[place]amount {
	expected := map[place]amount{}
	for _, bought := range shop.Purchases() {
		at := place{"", strings.ToLower(p.ProductID(bought.Product)), bought.At.In(p.Zone).Format(time.DateTime)}
		if bought.Customer >= 0 {
			at.customer = strings.ToLower(p.CustomerID(bought.Customer))
		}
		if p.Undated != nil && p.Undated(bought.Order) {
			at.at = "0000-00-00 00:00:00"
		}
		value := float64(bought.Value) / 100
		foreign := bought.Currency != BaseCurrency && (p.Name == WooCommerce.Name || p.Name == UUID.Name)
		if foreign || p.Name == Text.Name {
			value = math.NaN()
		}
		expected[at] = expected[at].plus(float64(bought.Quantity), value)
	}
	return expected
}

func (p Platform) comparePurchases(t *testing.T, shop *Shop, rows []record) {
	t.Helper()
	got := map[place]amount{}
	for _, row := range rows {
		at := place{strings.ToLower(row["customer"]), strings.ToLower(row["product"]), row["at"]}
		got[at] = got[at].plus(number(t, row, "quantity"), number(t, row, "value"))
	}
	expected, guests, wrong := p.expected(shop), 0, 0
	for at, want := range expected {
		if at.customer == "" {
			guests++
		}
		if found, ok := got[at]; !ok || !found.is(want) {
			if wrong++; wrong < 4 {
				t.Errorf("%+v: got %+v, want %+v", at, found, want)
			}
		}
	}
	if len(got) != len(expected) || wrong > 0 {
		t.Errorf("got %d purchases, want %d; %d are wrong", len(got), len(expected), wrong)
	}
	if guests == 0 || guests > len(expected)/5 {
		t.Errorf("%d of %d purchases are by guests", guests, len(expected))
	}
	t.Logf("%d rows, %d purchases, %d of them by guests", len(rows), len(got), guests)
}

// number is NaN for NULL.
func number(t *testing.T, row record, column string) float64 {
	t.Helper()
	text, ok := row[column]
	if !ok {
		return math.NaN()
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (p Platform) compareCustomers(t *testing.T, shop *Shop, rows []record) {
	t.Helper()
	got := map[string]record{}
	for _, row := range rows {
		got[row["customer"]] = row
	}
	accounts := 0
	for i, c := range shop.Customers {
		if c.Guest {
			continue
		}
		accounts++
		row := got[p.CustomerID(i)]
		if row["city"] != c.City || row["country"] != c.Country.Code && row["country"] != c.Country.Name {
			t.Errorf("customer %d: got %v, want %+v", i, row, c)
		}
	}
	if len(got) != accounts || len(rows) != accounts {
		t.Errorf("%d rows of %d customers, want %d", len(rows), len(got), accounts)
	}
}

func (p Platform) compareProducts(t *testing.T, shop *Shop, rows []record) {
	t.Helper()
	got := map[string]record{}
	for _, row := range rows {
		got[row["product"]] = row
	}
	want := 0
	for i, product := range shop.Products {
		if product.Deleted {
			continue
		}
		want++
		row := got[p.ProductID(i)]
		if row["title"] != product.Name || row["category"] != product.Category || math.Abs(number(t, row, "price")-float64(product.Price)/100) > 0.001 {
			t.Errorf("product %d: got %v, want %+v", i, row, product)
		}
		if sold := row["available"] != "0" && !(number(t, row, "stock") <= 0); sold != p.Sells(product) {
			t.Errorf("product %d: got %v, want %+v", i, row, product)
		}
	}
	if len(got) != want || len(rows) != want {
		t.Errorf("%d rows of %d products, want %d", len(rows), len(got), want)
	}
}

// explain wants a range to be read by indexes alone.
func explain(t *testing.T, db *sql.DB, q shape.Query) {
	t.Helper()
	keys := bounds(t, db, q)
	few := query(t, db, "SELECT range_key FROM ("+q.Count+") q WHERE range_key > ? ORDER BY range_key LIMIT 3", keys[0])
	plan := query(t, db, "EXPLAIN FORMAT=TRADITIONAL "+within(q, "KEY > ? AND KEY <= ?"), keys[0], []byte(few[2]["range_key"]))
	for _, table := range plan {
		if rows, _ := strconv.Atoi(table["rows"]); rows > 500 && (table["type"] == "ALL" || table["type"] == "index") {
			t.Errorf("reads all of a table: %v", table)
		}
	}
	if len(plan) < 2 || plan[0]["type"] == "" || plan[0]["rows"] == "" {
		t.Errorf("no plan: %v", plan)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	shop, other := small(t), Small()
	other.Seed = 2
	another, err := New(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range platforms {
		var first, again, different bytes.Buffer
		for to, from := range map[*bytes.Buffer]*Shop{&first: shop, &again: small(t), &different: another} {
			if err := p.Write(to, from); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(first.Bytes(), again.Bytes()) || bytes.Equal(first.Bytes(), different.Bytes()) {
			t.Errorf("%s: the script does not go by the seed", p.Name)
		}
	}
}

// A small shop has every wart, and about as many lines as wanted.
func TestWarts(t *testing.T) {
	shop := small(t)
	var lines, twoVariants, returned, repeated int
	states, currencies := map[Status]int{}, map[string]int{}
	bought := map[[2]int]int{}
	for _, o := range shop.Orders {
		states[o.Status]++
		currencies[o.Currency]++
		for i, l := range o.Lines {
			lines++
			if l.Returned > 0 {
				returned++
			}
			if i > 0 && l.Product == o.Lines[0].Product {
				twoVariants++
			}
			if bought[[2]int{o.Customer, l.Product}]++; bought[[2]int{o.Customer, l.Product}] == 2 {
				repeated++
			}
		}
	}
	var guests, staff, deleted, hidden, variants int
	for _, c := range shop.Customers {
		guests, staff = guests+count(c.Guest), staff+count(c.Staff)
	}
	for _, p := range shop.Products {
		deleted, hidden, variants = deleted+count(p.Deleted), hidden+count(p.Hidden), variants+count(p.Variants > 0)
	}
	t.Logf("%d customers (%d guests), %d products, %d orders, %d lines; %v %v", len(shop.Customers), guests, len(shop.Products), len(shop.Orders), lines, states, currencies)
	if lines < 5_500 || lines > 6_800 {
		t.Errorf("%d lines", lines)
	}
	if len(states) != 6 || len(currencies) != 3 || min(guests, staff, deleted, hidden, variants, twoVariants, returned, repeated) == 0 {
		t.Errorf("guests %d, staff %d, deleted %d, hidden %d, variants %d, two in an order %d, returned %d, repeated %d",
			guests, staff, deleted, hidden, variants, twoVariants, returned, repeated)
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
