package activity_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"recsys/shared/contract/shape"
	"recsys/shared/stream/activity"
)

var answer = activity.Answer{
	Recommended: []activity.Scored{{ID: "S1", Score: 0.75}, {ID: `quo"te`, Score: -1e-9}},
	Similar:     activity.Similar{To: "S2", Items: []activity.Near{{ID: "Bräcke", Distance: 1.5}}},
	Recommendation: activity.Recommendation{EventID: "shardId-000000000000:49", ModelVersion: 7, Strategy: activity.Model,
		GeneratedAt: time.Date(2026, 11, 23, 1, 2, 3, 450e6, time.FixedZone("", 3600))},
}

const added = `"recommended_items":[{"id":"S1","score":0.75},{"id":"quo\"te","score":-1e-09}],` +
	`"similar_items":{"product_code":"S2","similar_items":[{"id":"Bräcke","distance":1.5}]},` +
	`"recommendation":{"event_id":"shardId-000000000000:49","model_version":7,"strategy":"model","generated_at":"2026-11-23T00:02:03.450Z"}}` + "\n"

func TestRecordGoesOutAsItCame(t *testing.T) {
	for name, c := range map[string]struct{ in, out string }{
		"the very bytes": {
			`{"session_id": "a", "customer_number": 1, "x": 1.0e+02, "u":"\u00e9é", "credit_limit": 90069}`,
			`{"session_id": "a", "customer_number": 1, "x": 1.0e+02, "u":"\u00e9é", "credit_limit": 90069,` + added},
		"one line": {
			"\n{\r\n\"customer_number\":\n1,\n \"x\": \"a\\nb\"\n}\n",
			`{  "customer_number": 1,  "x": "a\nb",` + added},
		"ours replaced": {
			`{"recommended_items":[{"a":"]}"}], "customer_number":1, "similar_items" : {"b":"\""}, "x":2, "recommendatio\u006e":null}`,
			`{"customer_number":1, "x":2,` + added},
		"ours only inside others stays": {
			`{"customer_number":1,"x":{"recommendation":1}}`,
			`{"customer_number":1,"x":{"recommendation":1},` + added},
		"a member twice": {
			`{"customer_number":1,"x":1,"x":2}`,
			`{"customer_number":1,"x":1,"x":2,` + added},
	} {
		t.Run(name, func(t *testing.T) {
			before := strings.Clone(c.in)
			in := []byte(c.in)
			record, err := activity.Parse(in, lab)
			if err != nil {
				t.Fatal(err)
			}
			if out := record.Append([]byte("kept"), &answer); string(out) != "kept"+c.out {
				t.Errorf("got  %s\nwant kept%s", out, c.out)
			}
			if string(in) != before {
				t.Error("the caller's bytes were changed")
			}
		})
	}
}

func TestEmptyLists(t *testing.T) {
	record, err := activity.Parse([]byte(`{"session_id":"s"}`), lab)
	if err != nil {
		t.Fatal(err)
	}
	out := string(record.Append(nil, &activity.Answer{Recommendation: activity.Recommendation{Strategy: activity.None}}))
	want := `{"session_id":"s","recommended_items":[],"similar_items":{"product_code":null,"similar_items":[]},"recommendation":{`
	if !strings.HasPrefix(out, want) {
		t.Errorf("got %s", out)
	}
}

func TestTrendingItemsGoOutWhereTheyAreAskedFor(t *testing.T) {
	record, err := activity.Parse([]byte(`{"session_id":"s","trending_items":"theirs"}`), lab)
	if err != nil {
		t.Fatal(err)
	}
	for want, trending := range map[string][]activity.Scored{
		`"similar_items":[]},"recommendation"`:                                            nil,
		`"similar_items":[]},"trending_items":[],"recommendation"`:                        {},
		`"similar_items":[]},"trending_items":[{"id":"S1","score":2.5}],"recommendation"`: {{ID: "S1", Score: 2.5}},
	} {
		if out := string(record.Append(nil, &activity.Answer{Trending: trending})); !strings.Contains(out, want) || strings.Contains(out, "theirs") {
			t.Errorf("got %s, want %s", out, want)
		}
	}
}

// lab is the form of the lab's records.
var lab = activity.FormOf(shape.Lab)

// labRecord is a record of the lab, by the names of its features.
type labRecord struct {
	CustomerNumber *string
	City, Country  string
	CreditLimit    float64
	Products       []activity.Product
}

func ofLab(r activity.Record) labRecord {
	f := r.Features
	return labRecord{r.Customer, f[0].Text, f[1].Text, f[2].Number, r.Products}
}

func customer(number int64) *string {
	id := strconv.FormatInt(number, 10)
	return &id
}

func TestLenient(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		in   string
		want labRecord
	}{
		"a full record": {
			`{"customer_number":262,"city":"San Diego","country":"USA","credit_limit":90069,"browse_history":[{"product_code":"A","quantity":"4","in_shopping_cart":false},{"product_code":"B","quantity":3,"in_shopping_cart":true}]}`,
			labRecord{CustomerNumber: customer(262), City: "San Diego", Country: "USA", CreditLimit: 90069, Products: []activity.Product{{Code: "A", Quantity: 4}, {Code: "B", InCart: true, Quantity: 3}}}},
		"numbers of a data frame": {`{"customer_number":262.0,"credit_limit":"12.5"}`, labRecord{CustomerNumber: customer(262), CreditLimit: 12.5}},
		"an exponent":             {`{"customer_number":1e2}`, labRecord{CustomerNumber: customer(100), CreditLimit: nan}},
		"customer zero":           {`{"customer_number":0}`, labRecord{CustomerNumber: customer(0), CreditLimit: nan}},
		"customer zero, spelled":  {`{"customer_number":-0.0}`, labRecord{CustomerNumber: customer(0), CreditLimit: nan}},
		"the lowest customer":     {`{"customer_number":-2147483648}`, labRecord{CustomerNumber: customer(-1 << 31), CreditLimit: nan}},
		"no member for it":        {`{"session_id":"s"}`, labRecord{CreditLimit: nan}},
		"no customer":             {`{"session_id":"s","customer_number":null,"city":null,"browse_history":null}`, labRecord{CreditLimit: nan}},
		"odd features":            {`{"customer_number":-1,"city":5,"country":["x"],"credit_limit":"n/a"}`, labRecord{CustomerNumber: customer(-1), CreditLimit: nan}},
		"a credit limit of no number": {
			`{"customer_number":1,"credit_limit":"NaN"}`, labRecord{CustomerNumber: customer(1), CreditLimit: nan}},
		"a credit limit beyond": {`{"customer_number":1,"credit_limit":1e999}`, labRecord{CustomerNumber: customer(1), CreditLimit: nan}},
		"an empty history":      {`{"customer_number":1,"browse_history":[]}`, labRecord{CustomerNumber: customer(1), CreditLimit: nan}},
		"products repeated, unnamed, of another type": {
			`{"customer_number":1,"browse_history":[{"product_code":" A "},{"product_code":"A","in_shopping_cart":true},{"product_code":"C","in_shopping_cart":"yes"},{},{"product_code":null},{"product_code":""},{"product_code":7}]}`,
			labRecord{CustomerNumber: customer(1), CreditLimit: nan, Products: []activity.Product{{Code: "A", InCart: true, Quantity: 1}, {Code: "C", InCart: true, Quantity: 1}, {Code: "7", Quantity: 1}}}},
		"quantities": {
			`{"customer_number":1,"browse_history":[{"product_code":"A","quantity":"2.9"},{"product_code":"B","quantity":-3},{"product_code":"C","quantity":1e300},{"product_code":"D","quantity":"many"},{"product_code":"E","quantity":null},{"product_code":"A","quantity":1}]}`,
			labRecord{CustomerNumber: customer(1), CreditLimit: nan, Products: []activity.Product{
				{Code: "B"}, {Code: "C", Quantity: activity.MaxQuantity}, {Code: "D", Quantity: 1}, {Code: "E", Quantity: 1}, {Code: "A", Quantity: 2}}}},
		"what PostgreSQL cannot hold": {
			`{"customer_number":1,"country":"a\u0000b","browse_history":[{"product_code":"\u0000"},{"product_code":"` + strings.Repeat("x", 256) + `"}]}`,
			labRecord{CustomerNumber: customer(1), CreditLimit: nan}},
		"half a surrogate": {`{"customer_number":1,"city":"\ud800"}`, labRecord{CustomerNumber: customer(1), City: "\ufffd", CreditLimit: nan}},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := activity.Parse([]byte(c.in), lab)
			if err != nil {
				t.Fatal(err)
			}
			got := ofLab(record)
			same := reflect.DeepEqual(got.CustomerNumber, c.want.CustomerNumber) && got.City == c.want.City && got.Country == c.want.Country &&
				(got.CreditLimit == c.want.CreditLimit || math.IsNaN(got.CreditLimit) && math.IsNaN(c.want.CreditLimit)) &&
				slices.Equal(got.Products, c.want.Products)
			if !same {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestFeatures(t *testing.T) {
	for in, want := range map[string]bool{
		`{"customer_number":1,"city":"Oslo","country":"Norway","credit_limit":1}`:      true,
		`{"customer_number":1,"city":"","country":"Nowhere","credit_limit":"-1.5"}`:    true,
		`{"customer_number":1,"city":"Oslo","country":"Norway"}`:                       false,
		`{"customer_number":1,"city":"Oslo","country":"Norway","credit_limit":"none"}`: false,
		`{"customer_number":1,"city":null,"country":"Norway","credit_limit":1}`:        false,
		`{"customer_number":1,"city":"Oslo","credit_limit":1}`:                         false,
	} {
		record, err := activity.Parse([]byte(in), lab)
		if err != nil || record.HasFeatures() != want {
			t.Errorf("%s: %v, %v", in, record.HasFeatures(), err)
		}
	}
}

func TestRejected(t *testing.T) {
	for in, reason := range map[string]string{
		``:                                       "not JSON at byte 0",
		`not json`:                               "not JSON at byte 2",
		`{"customer_number":1}{}`:                "not JSON at byte 22",
		`{"customer_number":1`:                   "not JSON at byte 20",
		"{\"customer_number\":1,\"x\":\"\xff\"}": "not UTF-8",
		`[]`:                                     "a list: want an object",
		`null`:                                   "null: want an object",
		`"a"`:                                    "a string: want an object",
		`7`:                                      "a number: want an object",
		`{}`:                                     "neither session_id nor customer_number: nobody could use the answer",
		`{"session_id":"","city":"Paris"}`:       "neither session_id nor customer_number: nobody could use the answer",
		`{"customer_number":"abc"}`:              "customer_number: a string that holds no whole number: want a number",
		`{"customer_number":" "}`:                "neither session_id nor customer_number: nobody could use the answer",
		`{"customer_number":true}`:               "customer_number: a boolean: want a number",
		`{"customer_number":NaN}`:                "neither session_id nor customer_number: nobody could use the answer",
		`{"customer_number":nan}`:                "not JSON at byte 21",
		`{"customer_number":1.5}`:                "customer_number: no whole number of at most 2^53",
		`{"customer_number":1e40}`:               "customer_number: no whole number of at most 2^53",
		`{"customer_number":1,"browse_history":{}}`:                                           "browse_history: an object: want a list",
		`{"customer_number":1,"browse_history":["A"]}`:                                        "browse_history: an entry is a string: want an object",
		`{"customer_number":1,"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: "nested deeper than 32",
	} {
		if _, err := activity.Parse([]byte(in), lab); err == nil || err.Error() != reason {
			t.Errorf("%.60q: got %v, want %q", in, err, reason)
		}
	}
	if _, err := activity.Parse(make([]byte, activity.MaxBytes+1), lab); err == nil {
		t.Error("a record over MaxBytes was read")
	}
}

func TestLongHistoryIsBounded(t *testing.T) {
	var in bytes.Buffer
	in.WriteString(`{"customer_number":1,"browse_history":[{"product_code":"first"}`)
	for i := range 20_000 {
		in.WriteString(`,{"product_code":"p` + string(rune('a'+i%26)) + strings.Repeat("x", i/26%200) + `","in_shopping_cart":` + map[bool]string{true: "true", false: "false"}[i%3 == 0] + `}`)
	}
	in.WriteString("]}")
	record, err := activity.Parse(in.Bytes(), lab)
	if err != nil {
		t.Fatal(err)
	}
	if len(record.Products) != activity.MaxProducts || record.Products[len(record.Products)-1].Code[:2] != "pf" {
		t.Errorf("%d products", len(record.Products))
	}
}

// TestRealSessions reads the reference sessions, which lie beside the repository where they are at hand.
func TestRealSessions(t *testing.T) {
	file, err := os.Open(filepath.FromSlash("../../../../shared/data/streaming/sessions.jsonl"))
	if err != nil {
		t.Skip("the reference sessions are not beside the repository")
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	count := 0
	for ; lines.Scan(); count++ {
		record, err := activity.Parse(lines.Bytes(), lab)
		if err != nil {
			t.Fatalf("line %d: %v", count+1, err)
		}
		if !record.HasFeatures() || len(record.Products) == 0 {
			t.Errorf("line %d: not all of it was read", count+1)
		}
	}
	if count != 100 {
		t.Errorf("%d sessions, want 100", count)
	}
}

// FuzzParse holds any input to the promise of Append.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"session_id":"a","customer_number":1,"city":"x","browse_history":[{"product_code":"A","quantity":"1"}]}`,
		`{"customer_number":1.0,"recommended_items":[],"recommendation":{},"similar_items":"\\"}`,
		"{\n\"customer_number\" : 1 ,\r\n\"x\":[[{}],\"\\u0000\\\"\"]\t}", `{}`, `[]`, `{"a":`, `"`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		record, err := activity.Parse(in, lab)
		if err != nil {
			return
		}
		line := record.Append(nil, &answer)
		if bytes.IndexByte(line, '\n') != len(line)-1 || bytes.IndexByte(line, '\r') >= 0 {
			t.Fatalf("not one line: %q", line)
		}
		var before, after map[string]any
		if json.Unmarshal(in, &before) != nil {
			return // numbers beyond float64 are JSON, but not for this check
		}
		if err := json.Unmarshal(line, &after); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		for _, ours := range []string{"recommended_items", "similar_items", "recommendation"} {
			if after[ours] == nil {
				t.Fatalf("%s is missing: %q", ours, line)
			}
			delete(before, ours)
			delete(after, ours)
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("changed: %q became %q", in, line)
		}
	})
}

func BenchmarkParseAndAppend(b *testing.B) {
	in := []byte(`{"session_id": "d2c36c3b", "customer_number": 262, "city": "San Diego", "country": "USA", "credit_limit": 90069, "browse_history": [{"product_code": "A_1097", "quantity": "4", "in_shopping_cart": true}, {"product_code": "B_1374", "quantity": "3", "in_shopping_cart": true}, {"product_code": "C_4473", "quantity": "6", "in_shopping_cart": false}]}`)
	var out []byte
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		record, err := activity.Parse(in, lab)
		if err != nil {
			b.Fatal(err)
		}
		out = record.Append(out[:0], &answer)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
