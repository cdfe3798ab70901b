package activity_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/shape"
	"recsys/shared/stream/activity"
)

// films is a shop with a file.
func films(customer, product shape.ID) shape.Shop {
	return shape.Shop{
		Name: "films", Group: "region", Customer: customer, Product: product,
		CustomerColumns: []shape.Column{
			{Name: "city", Role: shape.Category, Type: shape.Text}, {Name: "store", Role: shape.Category, Type: shape.Int},
			{Name: "note", Role: shape.Remark, Type: shape.Text}, {Name: "spent", Role: shape.Number, Type: shape.Money},
			{Name: "region", Role: shape.Remark, Type: shape.Text},
		},
		Source: shape.Source{Interactions: []shape.Query{{Name: "rentals"}}},
	}
}

func TestIDsOfAShop(t *testing.T) {
	whole, text, hashed := shape.ID{Type: shape.BigInt}, shape.ID{Type: shape.Text}, shape.ID{Type: shape.Text, Hashed: true}
	for _, c := range []struct {
		of       shape.ID
		in, want string // "-" for no customer, else the id, or "!" and the error
	}{
		{whole, `"customer":9007199254740993`, "9007199254740993"},
		{whole, `"customer":" +007 "`, "7"},
		{whole, `"customer":7.0`, "7"},
		{whole, `"customer":"abc"`, "!customer: a string that holds no whole number: want a number"},
		{whole, `"customer_number":"-5"`, "-5"},
		{whole, `"customer_number":4,"customer":5`, "5"},
		{whole, `"customer":5,"customer_number":4`, "5"},
		{whole, `"customer":null,"customer_number":4`, "-"},
		{whole, `"customer":9223372036854775808`, "!customer: no whole number of at most 2^53"},
		{text, `"customer":" 0b7f-é "`, "0b7f-é"},
		{text, `"customer":"0042"`, "0042"},
		{text, `"customer":42`, "42"},
		{text, `"customer":42.0`, "42"},
		{text, `"customer":4.2`, "!customer: no whole number of at most 2^53: want a string"},
		{text, `"customer":""`, "-"},
		{text, `"customer":["a"]`, "!customer: a list: want a string"},
		{text, `"customer":true`, "!customer: a boolean: want a string"},
		{text, `"customer_number":"abc"`, "abc"},
		{hashed, `"customer":"ada@example.org"`, "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d"},
		{hashed, `"customer":" Ada@Example.org"`, "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d"},
		{hashed, `"customer":null`, "-"},
	} {
		form := activity.FormOf(films(c.of, shape.ID{Type: shape.Text}))
		record, err := activity.Parse([]byte(`{"session_id":"s",`+c.in+`}`), form)
		got := "-"
		if err != nil {
			got = "!" + err.Error()
		} else if record.Customer != nil {
			got = *record.Customer
		}
		if got != c.want {
			t.Errorf("%s of type %s: %s, want %s", c.in, c.of.Type, got, c.want)
		}
	}
	_, err := activity.Parse([]byte(`{"city":"Oslo"}`), activity.FormOf(films(text, text)))
	if want := "neither session_id nor customer: nobody could use the answer"; err == nil || err.Error() != want {
		t.Errorf("without a customer: %v, want %s", err, want)
	}
}

func TestProductsOfAShop(t *testing.T) {
	for _, c := range []struct {
		of       shape.Type
		in, want string
	}{
		{shape.Text, `{"product":"A"},{"product_code":"B"},{"product":7}`, "A B 7"},
		{shape.Int, `{"product":"007"},{"product":8},{"product_code":"9.0"},{"product":""},{}`, "7 8 9"},
		{shape.BigInt, `{"product":"9223372036854775807"},{"product_code":1,"product":2},{"product":2,"product_code":1}`, "9223372036854775807 2"},
		{shape.Int, `{"product":"A"}`, "!browse_history: product: a string that holds no whole number: want a number"},
	} {
		form := activity.FormOf(films(shape.ID{Type: shape.Text}, shape.ID{Type: c.of}))
		record, err := activity.Parse([]byte(`{"session_id":"s","browse_history":[`+c.in+`]}`), form)
		var codes []string
		for _, product := range record.Products {
			codes = append(codes, product.Code)
		}
		got := strings.Join(codes, " ")
		if err != nil {
			got = "!" + err.Error()
		}
		if got != c.want {
			t.Errorf("%s of type %s: %s, want %s", c.in, c.of, got, c.want)
		}
	}
}

func TestFeaturesOfAShop(t *testing.T) {
	text := shape.ID{Type: shape.Text}
	form := activity.FormOf(films(text, text))
	feature := func(column, value string, given bool) activity.Feature {
		return activity.Feature{Column: column, Text: value, Number: math.NaN(), Given: given}
	}
	for _, c := range []struct {
		in          string
		city, store activity.Feature
		spent       float64
		group       string
		all         bool
	}{
		{`"city":" Oslo ","store":"2","spent":"7.5","region":" North ","note":"x"`, feature("city", "Oslo", true), feature("store", "2", true), 7.5, "North", true},
		{`"city":"","store":true,"spent":1`, feature("city", "", true), feature("store", "1", true), 1, "", true},
		{`"city":5,"store":2.0,"spent":null`, feature("city", "", false), feature("store", "2", true), math.NaN(), "", false},
		{`"city":"Oslo","store":"east","spent":1`, feature("city", "Oslo", true), feature("store", "", false), 1, "", false},
		{`"City":"Oslo","credit_limit":1`, feature("city", "", false), feature("store", "", false), math.NaN(), "", false},
	} {
		record, err := activity.Parse([]byte(`{"session_id":"s",`+c.in+`}`), form)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		spent := feature("spent", "", !math.IsNaN(c.spent))
		spent.Number = c.spent
		same := slices.EqualFunc(record.Features, []activity.Feature{c.city, c.store, spent}, func(a, b activity.Feature) bool {
			sameNumber := a.Number == b.Number || math.IsNaN(a.Number) && math.IsNaN(b.Number)
			a.Number, b.Number = 0, 0
			return sameNumber && a == b
		})
		if !same || record.Group != c.group || record.HasFeatures() != c.all {
			t.Errorf("%s: %+v in the group %q, all: %t", c.in, record.Features, record.Group, record.HasFeatures())
		}
	}
	bare := films(text, text)
	bare.CustomerColumns = nil
	if record, err := activity.Parse([]byte(`{"session_id":"s"}`), activity.FormOf(bare)); err != nil || record.HasFeatures() {
		t.Errorf("a shop without features has some, %v", err)
	}
}

// The lab knows its own names alone. Others are members that only go out again.
func TestTheLabKnowsItsOwnNames(t *testing.T) {
	record, err := activity.Parse([]byte(`{"session_id":"s","customer":{"id":7},"creditLimit":1,"browse_history":[{"product":["A"]}]}`), lab)
	if err != nil || record.Customer != nil || len(record.Products) != 0 || ofLab(record).CreditLimit == 1 {
		t.Errorf("read as %+v, %v", record, err)
	}
}

func TestStrategiesAreNamedAfterTheGroup(t *testing.T) {
	for group, want := range map[string][]activity.Strategy{
		"country": {"model", "stored-vector", "history", "trending", "popular-in-country", "popular", "none"},
		"region":  {"model", "stored-vector", "history", "trending", "popular-in-region", "popular", "none"},
		"":        {"model", "stored-vector", "history", "trending", "popular", "none"},
	} {
		if got := activity.StrategiesOf(group); !reflect.DeepEqual(got, want) {
			t.Errorf("in %q: %v, want %v", group, got, want)
		}
	}
}
