package shopfile

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

const sakila = `# Films
database: sakila
timezone: Europe/Berlin
interactions:
  rentals:
    type: purchase
    query: |
      SELECT r.customer_id AS customer, i.film_id AS product, r.rental_date AS at  -- not {{range here}}
      FROM rental r JOIN inventory i ON i.inventory_id = r.inventory_id
      WHERE r.note <> 'a; {{range}} ) /*! */' AND r.` + "`a ) b`" + ` /* ) */ AND {{range r.customer_id}};
    count: SELECT customer_id AS range_key, COUNT(*) FROM rental GROUP BY 1
  wishes:
    query: SELECT customer_id AS customer, film_id AS product, kind AS type FROM wish WHERE {{ range ` + "wish.`customer id`" + ` }} # by kind
customers:
  id: int
  query: SELECT customer_id AS customer, city, country FROM people WHERE {{range customer_id}}
  columns: {city: category, country: category, since: text, points: number}
  group: country
products:
  query: SELECT film_id AS product, title, genre, rental_rate, stock FROM film
  columns: {title: name, genre: category, rental_rate: price, stock: stock}
  line: genre
training: {weights: {purchase: 1, view: 0.05}, halfLife: 90d, exclude: [purchase], repeatable: true}
rules: {guest: reject, future-time: skip}
partitions: customer
`

func TestAFileBecomesAShop(t *testing.T) {
	shop, err := Parse([]byte(sakila), "docs/shops/sakila.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if shop.Name != "sakila" || len(shop.Hash) != 64 {
		t.Errorf("name %q, hash %q", shop.Name, shop.Hash)
	}
	rentals, wishes := shop.Source.Interactions[0], shop.Source.Interactions[1]
	if rentals.Name != "rentals" || rentals.Type != "purchase" || rentals.Key != "r.customer_id" || rentals.Line != 8 {
		t.Errorf("rentals: %+v", rentals)
	}
	if !strings.HasSuffix(rentals.SQL, "{{range r.customer_id}}") || rentals.Count == "" {
		t.Errorf("rentals: %+v", rentals)
	}
	if wishes.Type != "" || wishes.Key != "wish.`customer id`" || wishes.Line != 13 {
		t.Errorf("wishes: %+v", wishes)
	}
	if want := (shape.ID{Name: "customer", Type: shape.Int}); shop.Customer != want {
		t.Errorf("customer %+v", shop.Customer)
	}
	if want := (shape.ID{Name: "product"}); shop.Product != want {
		t.Errorf("product %+v", shop.Product)
	}
	customers := []shape.Column{
		{Name: "city", Role: shape.Category}, {Name: "country", Role: shape.Category}, {Name: "since", Role: shape.Remark},
		{Name: "points", Role: shape.Number},
	}
	if !reflect.DeepEqual(shop.CustomerColumns, customers) {
		t.Errorf("customers' columns %+v", shop.CustomerColumns)
	}
	if name, found := shop.ProductWith(shape.Name); !found || name.Name != "title" {
		t.Errorf("products' columns %+v", shop.ProductColumns)
	}
	meaning := shape.Meaning{Weights: map[string]float64{"purchase": 1, "view": 0.05}, HalfLife: 90, Exclude: []string{"purchase"}, Repeatable: true}
	if !reflect.DeepEqual(shop.Meaning, meaning) {
		t.Errorf("meaning %+v", shop.Meaning)
	}
	if shop.Group != "country" || shop.Line != "genre" || shop.Layout != shape.ByCustomer || shop.Source.Timezone != "Europe/Berlin" || shop.Source.Database != "sakila" {
		t.Errorf("shop %+v", shop)
	}
	rules := shop.Cleaning.Rules
	if want := map[string]shape.Rule{"guest": shape.Reject, "future-time": shape.Skip}; !reflect.DeepEqual(rules, want) {
		t.Errorf("rules %v", rules)
	}
}

const least = `interactions:
  orders:
    type: purchase
    query: SELECT c AS customer, p AS product FROM o WHERE {{range c}}
customers:
  query: SELECT id AS customer FROM customers WHERE {{range id}}
products:
  query: SELECT id AS product FROM products
`

func TestDefaults(t *testing.T) {
	shop, err := Parse([]byte(least), "least.yml")
	if err != nil {
		t.Fatal(err)
	}
	if shop.Name != "least" || shop.Source.Timezone != "UTC" || shop.Layout != shape.ByRange || shop.Meaning.HalfLife != 0 || shop.Meaning.Repeatable ||
		!shop.Excludes(shape.Purchase) || !shop.Excludes(shape.Rating) || shop.Excludes("view") || shop.WeightOf("purchase") != 1 {
		t.Errorf("shop %+v", shop)
	}
	if len(shop.Cleaning.Rules) > 0 {
		t.Errorf("rules %v", shop.Cleaning.Rules)
	}
}

// change is one edit of a right file, and the mistake that must come of it.
type change struct{ old, new, mistake string }

// mistakes has one edit for each mistake. The JSON Schema finds those of bySchema too.
var mistakes = []change{
	{"database: sakila", "database: sak ila", `2:11: the database "sak ila": want`},
	{"timezone: Europe/Berlin", "timezone: Berlin", `3:11: the time zone "Berlin": want an IANA name`},
	{"timezone: Europe/Berlin", "timezone: Local", `3:11: the time zone "Local": want an IANA name`},
	{"timezone: Europe/Berlin", "timezone: 2", `3:11: the number 2: want a text`},
	{"timezone:", "time_zone:", `3:1: unknown key "time_zone": want timezone (or one of`},
	{"customers:\n", "customer:\n", `14:1: unknown key "customer": want customers (or one of`},
	{"interactions:\n", "interaction:\n", `2:1: the shop file lacks "interactions": want the key interactions`},
	{"    type: purchase", "    type: Purchase", `6:11: the type "Purchase": want up to 32 small letters`},
	{"    type: purchase", "    kind: purchase", `6:5: unknown key "kind": want one of count, files, names, query, type`},
	{"  wishes:", "  rentals:", `12:3: the key "rentals" again, first in line 5: want each key once`},
	{"  wishes:", "  my wishes:", `12:3: the query's name "my wishes": want`},
	{"{{range r.customer_id}}", "TRUE", `7:12: 0 times {{range KEY}} in the query: want it once, in the WHERE clause and outside of quotes and comments`},
	{"{{range r.customer_id}}", "{{range a}} OR {{range b}}", `7:12: 2 times {{range KEY}}`},
	{"{{range r.customer_id}}", "/* {{range r.customer_id}} */ 1", `7:12: 0 times {{range KEY}}`},
	{"{{range r.customer_id}}", "{{range}}", `7:12: the placeholder {{range}}: want {{range KEY}}`},
	{"{{range r.customer_id}}", "{{range r.customer_id + 1}}", `7:12: the placeholder {{range r.customer_id + 1}}: want`},
	{"{{range r.customer_id}};", "{{range r.customer_id}}; DROP TABLE rental", `7:12: several statements in a query: want one SELECT`},
	{"{{range r.customer_id}};", "{{range r.customer_id}}) q, (SELECT 1", `7:12: parentheses that do not match: want as many ) as (`},
	{"{{range r.customer_id}};", "({{range r.customer_id}};", `7:12: parentheses that do not match`},
	{"{{range r.customer_id}};", "{{range r.customer_id}} /*!50000 OR TRUE */", `7:12: a comment that the server runs (/*! or /*M!): want its text`},
	{"{{range r.customer_id}};", "{{range r.customer_id}} /*M! OR TRUE */", `7:12: a comment that the server runs`},
	{"SELECT film_id AS product, title", "DELETE film_id AS product, title", `20:10: a query that starts with "DELETE film_id`},
	{"genre, rental_rate, stock FROM film", "genre FROM film WHERE {{range film_id}}", `20:10: {{range …}} in the query of products: want none`},
	{"FROM rental GROUP BY 1", "FROM rental WHERE {{range customer_id}} GROUP BY 1", `11:12: the placeholder {{range customer_id}} in count: want`},
	{"  id: int", "  id: uuid", `15:7: the text "uuid": want one of int, bigint, text, hashed`},
	{"city: category", "city: catgory", `17:19: the text "catgory": want category (or one of category, number, price, text)`},
	{"city: category", "city: stock", `17:19: the text "stock": want one of category, number, price, text`},
	{"city: category", "city: name", `17:19: the role name for customers: want no such column`},
	{"city: category", "email: text", `17:13: the customers' column "email": want no name, e-mail address`},
	{"city: category", "last_name: text", `17:13: the customers' column "last_name": want no name`},
	{"city: category", "my city: category", `17:13: the column name "my city": want a letter or _`},
	{"city: category", "größe: category", `17:13: the column name "größe": want a letter or _`},
	{"city: category", "Type: category", `17:13: the column name "Type", which the pipeline uses itself: want another name`},
	{"city: category", "Genre: category", `21:26: the column "genre", which line 17 has as "Genre": want a name that no other column has`},
	{"group: country", "group: since", `18:10: the text "since": want one of city, country`},
	{"title: name", "title: name, also: name", `21:32: the role name again, which title has: want one column with it`},
	{"line: genre", "line: title", `22:9: the text "title": want genre`},
	{"purchase: 1", "purchase: -1", `23:32: the weight -1: want 0 to 1000`},
	{"purchase: 1", "purchase: .nan", `23:32: the weight .nan: want 0 to 1000`},
	{"purchase: 1", "purchase: much", `23:32: the text "much": want a number`},
	{"halfLife: 90d", "halfLife: 90", `23:58: the number 90: want days as 90d`},
	{"halfLife: 90d", "halfLife: 0d", `23:58: the text "0d": want days as 90d`},
	{"halfLife: 90d", "halfLife: never", `23:58: the text "never": want days as 90d`},
	{"exclude: [purchase]", "exclude: purchase", `23:72: exclude is the text "purchase": want a list`},
	{"repeatable: true", "repeatable: maybe", `23:96: the text "maybe": want one of true, false`},
	{"guest: reject", "guest: ignore", `24:16: the text "ignore": want one of skip, reject`},
	{"guest: reject", "gest: reject", `24:9: unknown key "gest": want guest (or one of`},
	{"partitions: customer", "partitions: month", `25:13: the text "month": want one of range, customer`},
	{"partitions: customer", "partitions: &a customer", `25:13: an anchor or an alias`},
	{"partitions: customer", "partitions: !!str customer", `25:13: the tag !!str: want a value without a tag`},
	{"partitions: customer", "partitions: {", "want YAML"},
	{"partitions: customer", "---\npartitions: customer", "a second document (---): want one document"},
}

func TestMistakesHaveALineAndARemedy(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.new, func(t *testing.T) {
			if !strings.Contains(sakila, m.old) {
				t.Fatalf("the right file has no %q", m.old)
			}
			_, err := Parse([]byte(strings.Replace(sakila, m.old, m.new, 1)), "sakila.yaml")
			if !errors.Is(err, failure.SchemaMismatch) {
				t.Fatalf("error %v: want SchemaMismatch", err)
			}
			if !strings.Contains(err.Error(), m.mistake) {
				t.Errorf("error %v\nwant %s", err, m.mistake)
			}
		})
	}
}

func TestAllMistakesComeAtOnceSortedByLine(t *testing.T) {
	content := strings.NewReplacer("city: category", "city: catgory", "guest: reject", "guest: no", "halfLife: 90d", "halfLife: 90").Replace(sakila)
	_, err := Parse([]byte(content), "sakila.yaml")
	var file Error
	if !errors.As(err, &file) {
		t.Fatalf("error %v", err)
	}
	var lines []int
	for _, mistake := range file.Mistakes {
		lines = append(lines, mistake.Line)
	}
	if want := []int{17, 23, 24}; !reflect.DeepEqual(lines, want) {
		t.Errorf("lines %v: want %v in\n%v", lines, want, err)
	}
}

func TestATypeThatNoQueryHasIsAMistake(t *testing.T) {
	content := least + "training: {weights: {purchse: 2}}\n"
	if _, err := Parse([]byte(content), "least.yaml"); err == nil || !strings.Contains(err.Error(), `least.yaml:9:22: the type "purchse", which no query has: want purchase`) {
		t.Errorf("error %v", err)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for content, want := range map[string]string{
		"":                                  "an empty file",
		"# nothing\n":                       "an empty file",
		"just words":                        `the shop file is the text "just words": want keys with values`,
		"[1, 2]":                            "the shop file is a list",
		"\x00":                              "want YAML",
		strings.Repeat("[", 5000):           "want",
		"a: " + strings.Repeat("x", 300000): "a file of more than 256 KiB: want at most that",
	} {
		_, err := Parse([]byte(content), "shop.yaml")
		if !errors.Is(err, failure.SchemaMismatch) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v: want %s", content, err, want)
		}
	}
	for _, name := range []string{"a b.yaml", ".yaml", "ö.yaml", strings.Repeat("a", 65) + ".yaml"} {
		if _, err := Parse([]byte(least), name); err == nil {
			t.Errorf("the name %q passes", name)
		}
	}
}

// Sizes that no shop has end in a mistake, not in a wide table or a long run.
func TestTooMuchIsAMistake(t *testing.T) {
	var columns, queries strings.Builder
	for i := range 300 {
		fmt.Fprintf(&columns, "    c%d: category\n", i)
		fmt.Fprintf(&queries, "  q%d: {type: view, query: 'SELECT a AS customer, b AS product FROM t WHERE {{range a}}'}\n", i)
	}
	for content, want := range map[string]string{
		strings.Replace(least, "products:", "  columns:\n"+columns.String()+"products:", 1): "300 columns of customers: want at most 100",
		"interactions:\n" + queries.String():                                                "300 queries of interactions: want 1 to 16",
		strings.Repeat("#", 10<<20):                                                         "a file of more than 256 KiB",
	} {
		if _, err := Parse([]byte(content), "shop.yaml"); !errors.Is(err, failure.SchemaMismatch) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %.200v: want %s", err, want)
		}
	}
}

// A bomb of aliases is small as a file and huge as a tree. It must be refused without building the tree.
func TestABombOfAliasesIsRefused(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 20 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	if _, err := Parse([]byte(bomb), "bomb.yaml"); err == nil || !strings.Contains(err.Error(), "an anchor or an alias") {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sakila)
	f.Add(least)
	f.Add("a: *b")
	f.Add("interactions: {a: {type: view, query: \"SELECT 0'\"}}") // a quote that is not closed
	f.Fuzz(func(t *testing.T, content string) {
		shop, err := Parse([]byte(content), "fuzz.yaml")
		if err != nil {
			if !errors.Is(err, failure.SchemaMismatch) {
				t.Errorf("error %v", err)
			}
			return
		}
		for _, query := range shop.Source.Interactions {
			if query.Key == "" || strings.Count(codeOf(query.SQL), "{{") != 1 {
				t.Errorf("query %+v", query)
			}
		}
	})
}
