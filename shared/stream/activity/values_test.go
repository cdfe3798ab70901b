package activity_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"recsys/shared/stream/activity"
)

// inHistory is a record with one entry in its history.
func inHistory(entry string) string { return `{"session_id":"s","browse_history":[` + entry + `]}` }

// TestCustomerNumbersInEverySpelling reads the same customer from each.
func TestCustomerNumbersInEverySpelling(t *testing.T) {
	for spelling, want := range map[string]int64{
		`1`: 1, `1.0`: 1, `1e0`: 1, `"1"`: 1, `" 1 "`: 1, `"1.0"`: 1, `"+1"`: 1, `"001"`: 1, `"\u0031"`: 1,
		`"-5"`: -5, `"0"`: 0, `"1e2"`: 100, `9007199254740993`: 9007199254740993, `"9223372036854775807"`: math.MaxInt64,
	} {
		record, err := activity.Parse([]byte(`{"customer_number":`+spelling+`}`), lab)
		if err != nil || record.Customer == nil || *record.Customer != *customer(want) {
			t.Errorf("%s: got %v, %v, want %d", spelling, record.Customer, err, want)
		}
	}
	for _, spelling := range []string{`null`, `""`, `" "`, `NaN`, `-Infinity`} {
		record, err := activity.Parse([]byte(`{"session_id":"s","customer_number":`+spelling+`}`), lab)
		if err != nil || record.Customer != nil {
			t.Errorf("%s: got %v, %v, want no customer", spelling, record.Customer, err)
		}
	}
	for _, spelling := range []string{`"1 2"`, `"1,234"`, `"0x10"`, `"0x1p4"`, `"inf"`, `"NaN"`, `"1_000"`, `"--1"`, `"."`, `"1.5"`,
		`9007199254740993.0`, `9223372036854775808`, `"92233720368547758080"`, `[1]`, `{"$numberLong":"1"}`} {
		record, err := activity.Parse([]byte(`{"session_id":"s","customer_number":`+spelling+`}`), lab)
		if err == nil || !strings.HasPrefix(err.Error(), "customer_number: ") {
			t.Errorf("%s: read as %v, %v", spelling, record.Customer, err)
		}
	}
}

// TestProductCodesThatAreNumbers are their digits. A code that cannot be read exactly is rejected.
func TestProductCodesThatAreNumbers(t *testing.T) {
	for spelling, want := range map[string]string{
		`5003`: "5003", `5003.0`: "5003", `5.003e3`: "5003", `0`: "0", `-7`: "-7", `"0042"`: "0042", `" 5003 "`: "5003", `"5003.0"`: "5003.0",
		`"` + strings.Repeat("é", 255) + `"`: strings.Repeat("é", 255), `"two\nlines"`: "two\nlines",
		`9007199254740993`: "9007199254740993", `12345678901234567890123`: "12345678901234567890123",
	} {
		record, err := activity.Parse([]byte(inHistory(`{"product_code":`+spelling+`}`)), lab)
		if err != nil || len(record.Products) != 1 || record.Products[0].Code != want {
			t.Errorf("%s: got %+v, %v, want %s", spelling, record.Products, err, want)
		}
	}
	for _, spelling := range []string{`null`, `""`, `NaN`, strings.Repeat("9", 256), `"` + strings.Repeat("é", 256) + `"`} {
		record, err := activity.Parse([]byte(inHistory(`{"product_code":`+spelling+`}`)), lab)
		if err != nil || len(record.Products) != 0 {
			t.Errorf("%s: got %+v, %v, want no product", spelling, record.Products, err)
		}
	}
	for spelling, reason := range map[string]string{
		`5003.5`:             "no whole number of at most 2^53: want a string",
		`9007199254740993.0`: "no whole number of at most 2^53: want a string",
		`1e400`:              "no whole number of at most 2^53: want a string",
		`true`:               "a boolean: want a string",
		`["5003"]`:           "a list: want a string",
		`{"code":"5003"}`:    "an object: want a string",
	} {
		_, err := activity.Parse([]byte(inHistory(`{"product_code":`+spelling+`}`)), lab)
		if want := "browse_history: product_code: " + reason; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %q", spelling, err, want)
		}
	}
}

// TestCartsInEverySpelling: an unknown spelling is rejected, because a guess would change the similar and the
// trending items.
func TestCartsInEverySpelling(t *testing.T) {
	for want, spellings := range map[bool][]string{
		true:  {`true`, `1`, `1.0`, `"true"`, `"True"`, `"TRUE"`, `" true "`, `"1"`, `"yes"`, `"Y"`, `"t"`, `"on"`},
		false: {`false`, `0`, `0.0`, `"false"`, `"False"`, `"0"`, `"no"`, `"N"`, `"f"`, `"off"`, `""`, `null`, `NaN`},
	} {
		for _, spelling := range spellings {
			record, err := activity.Parse([]byte(inHistory(`{"product_code":"A","in_shopping_cart":`+spelling+`}`)), lab)
			if err != nil || !slices.Equal(record.Products, []activity.Product{{Code: "A", InCart: want, Quantity: 1}}) {
				t.Errorf("%s: got %+v, %v, want in the cart: %v", spelling, record.Products, err, want)
			}
		}
	}
	for spelling, reason := range map[string]string{
		`2`: "a number", `-1`: "a number", `"maybe"`: "a string", `[true]`: "a list", `{}`: "an object",
	} {
		_, err := activity.Parse([]byte(inHistory(`{"product_code":"A","in_shopping_cart":`+spelling+`}`)), lab)
		if want := "browse_history: in_shopping_cart: " + reason + " that says neither yes nor no: want true or false"; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %q", spelling, err, want)
		}
	}
}

// TestNotANumber: Python writes NaN, which no reader of JSON takes. The answer holds null in its place, and every other
// byte as it came.
func TestNotANumber(t *testing.T) {
	for in, out := range map[string]string{
		`{"session_id": "g", "customer_number": NaN, "x": 1.50}`: `{"session_id": "g", "customer_number": null, "x": 1.50`,
		`{"customer_number": 1, "credit_limit":-Infinity}`:       `{"customer_number": 1, "credit_limit":null`,
		`{"customer_number": 1, "note": "NaN \"NaN", "x":[NaN]}`: `{"customer_number": 1, "note": "NaN \"NaN", "x":[null]`,
	} {
		record, err := activity.Parse([]byte(in), lab)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		line := record.Append(nil, &answer)
		if !json.Valid(line) || string(line) != out+","+added {
			t.Errorf("%s went out as %s", in, line)
		}
		if record.HasFeatures() {
			t.Errorf("%s has features", in)
		}
	}
}

func TestByteOrderMark(t *testing.T) {
	record, err := activity.Parse([]byte("\ufeff"+`{"customer_number":1}`), lab)
	if err != nil || string(record.Append(nil, &answer)) != `{"customer_number":1,`+added {
		t.Errorf("%v", err)
	}
}

// TestSessions: records of one visit have the same session, and no others have it.
func TestSessions(t *testing.T) {
	for in, want := range map[string]string{
		`{"session_id":"a"}`:                          "session a",
		`{"customer_number":7,"session_id":"\u0061"}`: "session a",
		`{"session_id":5}`:                            "session 5",
		`{"customer_number":7}`:                       "customer 7",
		`{"session_id":"","customer_number":"7.0"}`:   "customer 7",
		`{"session_id":null,"customer_number":0}`:     "customer 0",
		`{"session_id":"customer 7"}`:                 "session customer 7",
	} {
		if record, err := activity.Parse([]byte(in), lab); err != nil || record.Session != want {
			t.Errorf("%s: session %q, %v, want %q", in, record.Session, err, want)
		}
	}
}
