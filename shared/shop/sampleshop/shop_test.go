package sampleshop

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recsys/shared/contract/settings"
)

// small is a shop that looks different from the default one in every respect.
func small() Options {
	return Options{SampleShop: settings.SampleShop{Seed: 99, Database: "other", Customers: 20, Products: 30, Ratings: 100, TasteStrength: 2}}
}

func TestSameOptionsSameBytes(t *testing.T) {
	writers := map[string]func(io.Writer, Options) error{
		"sql": WriteSQL, "truth": WriteTruth, "training": WriteTraining, "products": WriteProducts,
		"sessions": func(w io.Writer, o Options) error { return WriteSessions(w, o, DefaultSessions) },
	}
	// Changing the generator changes these, and then infra/local/sample has to be made anew (its README says how).
	golden := map[string]string{
		"sql":      "b6dff0f283c2b7caf6f1d7ee5d9a245a6fd6fcb962ff9417de983385261a7b62",
		"truth":    "566947a21796ebc56640f0a593824b9a1b66899dfc58dd04e792813134d920fc",
		"training": "87e2615dec05b0a2ad354e9705e04c728f475e7790a05a1a0f4eb6d2bd43a9b6",
		"products": "ba07b39beefbeca4410bd8c326f97293388405c9ec9d58c6c50e9589aa17ef59",
		"sessions": "1cfbfd39053baa2208afa1eebaad8eda6f9144a41e96d8d3fdf0769fed29650f",
	}
	for name, write := range writers {
		first, other := sum(t, write, Default()), sum(t, write, small())
		if first != golden[name] {
			t.Errorf("%s of the default shop: sha256 %s, want %s", name, first, golden[name])
		}
		if again := sum(t, write, small()); again != other || first == other {
			t.Errorf("%s: %s and %s from the same options, %s from others", name, other, again, first)
		}
	}
}

func sum(t *testing.T, write func(io.Writer, Options) error, o Options) string {
	t.Helper()
	hash := sha256.New()
	if err := write(hash, o); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func TestCounts(t *testing.T) {
	shop := shopSQL(t, Default())
	for name, want := range map[string]int{"productlines": 7, "products": 110, "offices": 7, "employees": 29, "customers": 122, "ratings": 2500} {
		if got := len(shop[name].rows); got != want {
			t.Errorf("%s: %d rows, want %d", name, got, want)
		}
	}
	if got := distinct(shop["ratings"].column(t, "customerNumber")); got != 98 {
		t.Errorf("%d customers have ratings, want 98", got)
	}
	if got := distinct(shop["orderdetails"].column(t, "productCode")); got != 109 {
		t.Errorf("%d products were bought, want all but one of 110", got)
	}
}

func distinct(values []string) int {
	values = slices.Clone(values)
	slices.Sort(values)
	return len(slices.Compact(values))
}

func TestRatingsAreExactlyAsMany(t *testing.T) {
	for _, o := range []Options{
		{SampleShop: settings.SampleShop{Customers: 5, Products: 10, Ratings: 5}},
		{SampleShop: settings.SampleShop{Customers: 5, Products: 10, Ratings: 9}},
		{SampleShop: settings.SampleShop{Customers: 5, Products: 1000, Ratings: 900}},
		{SampleShop: settings.SampleShop{Customers: 1000, Products: 10, Ratings: 1000}},
		{SampleShop: settings.SampleShop{Customers: 1000, Products: 10, Ratings: 1800}},
		{SampleShop: settings.SampleShop{Customers: 3000, Products: 2000, Ratings: 77_777}},
	} {
		for o.Seed = range 5 {
			o.Database = "classicmodels"
			shop := shopSQL(t, o)
			if got := len(shop["ratings"].rows); got != o.Ratings {
				t.Errorf("%+v: %d ratings", o, got)
			}
			if got := len(shop["customers"].rows); got != o.Customers {
				t.Errorf("%+v: %d customers", o, got)
			}
		}
	}
}

func TestKeysHold(t *testing.T) {
	for _, o := range []Options{Default(), small(), {SampleShop: settings.SampleShop{Seed: 3, Database: "d", Customers: 400, Products: 900, Ratings: 30_000}}} {
		shop := shopSQL(t, o)
		for name, key := range map[string][]string{
			"productlines": {"productLine"}, "products": {"productCode"}, "offices": {"officeCode"}, "employees": {"employeeNumber"},
			"customers": {"customerNumber"}, "orders": {"orderNumber"}, "orderdetails": {"orderNumber", "productCode"},
			"payments": {"customerNumber", "checkNumber"}, "ratings": {"customerNumber", "productCode"},
		} {
			if all := keys(t, shop[name], key...); distinct(all) != len(all) {
				t.Errorf("seed %d: %s has %d rows with %d keys", o.Seed, name, len(all), distinct(all))
			}
		}
		for _, f := range []struct{ table, column, to, key string }{
			{"products", "productLine", "productlines", "productLine"},
			{"employees", "reportsTo", "employees", "employeeNumber"},
			{"employees", "officeCode", "offices", "officeCode"},
			{"customers", "salesRepEmployeeNumber", "employees", "employeeNumber"},
			{"orders", "customerNumber", "customers", "customerNumber"},
			{"orderdetails", "orderNumber", "orders", "orderNumber"},
			{"orderdetails", "productCode", "products", "productCode"},
			{"payments", "customerNumber", "customers", "customerNumber"},
			{"ratings", "customerNumber", "customers", "customerNumber"},
			{"ratings", "productCode", "products", "productCode"},
		} {
			holds(t, f.table+"."+f.column, shop[f.table].column(t, f.column), shop[f.to].column(t, f.key))
		}
		holds(t, "rated and not bought", keys(t, shop["ratings"], "customerNumber", "productCode"), bought(t, shop))
	}
}

func holds(t *testing.T, what string, values, allowed []string) {
	t.Helper()
	known := map[string]bool{null: true}
	for _, a := range allowed {
		known[a] = true
	}
	for _, v := range values {
		if !known[v] {
			t.Errorf("%s: %q refers to nothing", what, v)
		}
	}
}

// bought lists "customer/product" of every order line.
func bought(t *testing.T, shop map[string]*table) []string {
	customer := map[string]string{}
	numbers := shop["orders"].column(t, "customerNumber")
	for i, order := range shop["orders"].column(t, "orderNumber") {
		customer[order] = numbers[i]
	}
	orders := shop["orderdetails"].column(t, "orderNumber")
	pairs := shop["orderdetails"].column(t, "productCode")
	for i := range pairs {
		pairs[i] = customer[orders[i]] + "/" + pairs[i]
	}
	return pairs
}

func TestOmitOrders(t *testing.T) {
	o := Default()
	with := shopSQL(t, o)
	o.OmitOrders = true
	without := shopSQL(t, o)
	for _, name := range []string{"orders", "orderdetails", "payments"} {
		if without[name] != nil {
			t.Errorf("%s has rows", name)
		}
	}
	if fmt.Sprint(with["ratings"]) != fmt.Sprint(without["ratings"]) {
		t.Error("the ratings are others")
	}
}

func TestWarts(t *testing.T) {
	shop := shopSQL(t, Default())
	raters := map[string]bool{}
	for _, number := range shop["ratings"].column(t, "customerNumber") {
		raters[number] = true
	}
	is := func(want string) func(string) bool { return func(s string) bool { return s == want } }
	trailing := func(s string) bool { return strings.HasSuffix(s, " ") }
	upper := func(s string) bool { return s == strings.ToUpper(s) && len(s) > 4 }
	lower := func(s string) bool { return s == strings.ToLower(s) }
	for _, wart := range []struct {
		column, what string
		of           func(string) bool
	}{
		{"country", "a trailing blank", trailing}, {"country", "lower case", lower}, {"country", "upper case", upper},
		{"country", "an apostrophe", func(s string) bool { return strings.Contains(s, "'") }},
		{"city", "a trailing blank", trailing}, {"city", "upper case", upper},
		{"city", "a letter outside ASCII", func(s string) bool { return strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) }},
		{"state", "NULL", is(null)}, {"state", "an empty string", is("")},
		{"postalCode", "NULL", is(null)}, {"creditLimit", "NULL", is(null)},
	} {
		found := false
		numbers := shop["customers"].column(t, "customerNumber")
		for i, value := range shop["customers"].column(t, wart.column) {
			found = found || raters[numbers[i]] && wart.of(value)
		}
		if !found {
			t.Errorf("no customer with ratings has %s with %s", wart.column, wart.what)
		}
	}
	if !slices.ContainsFunc(shop["products"].column(t, "productScale"), trailing) {
		t.Error("no product scale with a trailing blank")
	}
	if buyers := distinct(shop["orders"].column(t, "customerNumber")); buyers != len(raters) {
		t.Errorf("%d customers with orders, %d with ratings", buyers, len(raters))
	}
}

func TestRatingsAreOneToFive(t *testing.T) {
	count := map[int]int{}
	for _, value := range shopSQL(t, Default())["ratings"].column(t, "productRating") {
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		count[n]++
	}
	if len(count) != 5 || count[1] == 0 || count[5] == 0 {
		t.Errorf("ratings by value: %v, want some of each from 1 to 5", count)
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	err := Options{SampleShop: settings.SampleShop{Database: "a`b", Customers: 4, Products: 2_000_000, TasteStrength: -1}}.Validate()
	for _, want := range []string{"database", "customers", "products", "tasteStrength"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: does not name %s", err, want)
		}
	}
	for _, ratings := range []int{0, 121, 2_653} {
		o := Default()
		if o.Ratings = ratings; o.Validate() == nil {
			t.Errorf("%d ratings: no error", ratings)
		}
	}
	if err := WriteSQL(io.Discard, Options{}); err == nil {
		t.Error("the zero value: no error")
	}
}

func TestBestAreTheBest(t *testing.T) {
	c := newChance(4).of(0, 0)
	for n := 1; n <= 40; n++ {
		offers := make([]offer, 40)
		for i := range offers {
			offers[i] = offer{i, float64(c.below(25))} // with ties
		}
		sorted := slices.SortedFunc(slices.Values(offers), func(a, b offer) int { return cmp.Compare(b.appeal, a.appeal) })
		best(offers, n)
		for i, o := range offers {
			if i < n && o.appeal < sorted[n-1].appeal || i >= n && o.appeal > sorted[n-1].appeal {
				t.Fatalf("best %d: offer %d has appeal %v, the limit is %v", n, i, o.appeal, sorted[n-1].appeal)
			}
		}
	}
}
