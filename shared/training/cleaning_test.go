package training

import (
	"math"
	"strings"
	"testing"
)

func number(n int64) *int64 { return &n }

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "0.00": 0, "7": 700, "7.": 700, ".5": 50, "43300.00": 4330000, "12.5": 1250, "12.5000": 1250, "-3.07": -307,
		"+1.10": 110, "99999999.99": 9_999_999_999, "-99999999.99": -9_999_999_999, "00000000000000000001.25": 125,
	} {
		if got, err := ParseDecimal(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "-", ".", "+.", "1e3", "1,5", " 1", "1 ", "--1", "1.2.3", "0.001", "12.005", "100000000", "100000000.00",
		"99999999999999999999999999", "NaN", "٣",
	} {
		if got, err := ParseDecimal(text); err == nil {
			t.Errorf("%q passed as %d", text, got)
		}
	}
}

func TestCleanCustomerTrimsAndKeepsOptionalEmpty(t *testing.T) {
	got, reason := CleanCustomer(&RawCustomer{City: " Stavern", State: "  ", PostalCode: "4110\t", Country: "Norway  ", CreditLimit: "81700.00"})
	if reason != "" {
		t.Fatal(reason)
	}
	if got.City != "Stavern" || got.State != "" || got.PostalCode != "4110" || got.Country != "Norway" || *got.CreditLimit != 8170000 {
		t.Errorf("got %+v", got)
	}
	if got, _ := CleanCustomer(&RawCustomer{City: "a", Country: "b"}); got.CreditLimit != nil {
		t.Errorf("NULL became the credit limit %d", *got.CreditLimit)
	}
	if got, _ := CleanCustomer(&RawCustomer{City: "a", Country: "b", CreditLimit: "0.00"}); got.CreditLimit == nil {
		t.Error("a credit limit of zero became NULL")
	}
}

func TestCleaningNamesTheReason(t *testing.T) {
	for _, test := range []struct {
		raw  RawCustomer
		want Reason
	}{
		{RawCustomer{City: " ", Country: "Norway"}, IncompleteAddress},
		{RawCustomer{City: "Oslo"}, IncompleteAddress},
		{RawCustomer{City: "Oslo", Country: "Norway", CreditLimit: "1.005"}, BadCreditLimit},
	} {
		if _, got := CleanCustomer(&test.raw); got != test.want {
			t.Errorf("%+v: %s, want %s", test.raw, got, test.want)
		}
	}
	good := RawProduct{"S10 ", "Cars", "1:10", "7933", "48.81", "95.70"}
	for _, test := range []struct {
		change func(*RawProduct)
		want   Reason
	}{
		{func(*RawProduct) {}, ""},
		{func(p *RawProduct) { p.ProductLine = "" }, IncompleteProduct},
		{func(p *RawProduct) { p.ProductScale = "\n" }, IncompleteProduct},
		{func(p *RawProduct) { p.QuantityInStock = "" }, BadQuantity},
		{func(p *RawProduct) { p.QuantityInStock = "2147483648" }, BadQuantity},
		{func(p *RawProduct) { p.BuyPrice = "" }, BadPrice},
		{func(p *RawProduct) { p.MSRP = "100000000.00" }, BadPrice},
	} {
		raw := good
		test.change(&raw)
		product, got := CleanProduct(&raw)
		if got != test.want || product.Code != "S10" {
			t.Errorf("%+v: %q %s, want %s", raw, product.Code, got, test.want)
		}
	}
	for _, test := range []struct {
		raw  RawRating
		want Reason
	}{
		{RawRating{number(103), "S10", number(1)}, ""},
		{RawRating{number(math.MinInt32), "S10", number(5)}, ""},
		{RawRating{nil, "S10", number(5)}, NoCustomerNumber},
		{RawRating{number(math.MaxInt32 + 1), "S10", number(5)}, NoCustomerNumber},
		{RawRating{number(103), "  ", number(5)}, NoProductCode},
		{RawRating{number(103), "S10", nil}, NoRating},
		{RawRating{number(103), "S10", number(0)}, RatingOutOfRange},
		{RawRating{number(103), "S10", number(6)}, RatingOutOfRange},
	} {
		if _, _, _, got := CleanRating(&test.raw); got != test.want {
			t.Errorf("%+v: %s, want %s", test.raw, got, test.want)
		}
	}
}

// What one of the lake's readers or PostgreSQL cannot carry goes to quarantine, wherever it stands.
func TestBadTextIsRefused(t *testing.T) {
	long := strings.Repeat("é", maxText)
	for text, want := range map[string]Reason{
		"Fra\x00nce": BadText, "\x00": BadText, "Fran\xe7ais": BadText, long + "é": BadText,
		long: "", " " + long + " ": "", "a\U0001F600": "", "\uFFFD": "",
	} {
		customers, products := [4]RawCustomer{}, [3]RawProduct{}
		for i := range customers {
			customers[i] = RawCustomer{City: "Oslo", Country: "Norway"}
		}
		for i := range products {
			products[i] = RawProduct{"S10", "Cars", "1:10", "7933", "48.81", "95.70"}
		}
		customers[0].City, customers[1].State, customers[2].PostalCode, customers[3].Country = text, text, text, text
		products[0].ProductCode, products[1].ProductLine, products[2].ProductScale = text, text, text
		for _, raw := range customers {
			if _, got := CleanCustomer(&raw); got != want {
				t.Errorf("%.40q in a text: %q, want %q", text, got, want)
			}
		}
		for _, raw := range products {
			if _, got := CleanProduct(&raw); got != want {
				t.Errorf("%.40q in a text: %q, want %q", text, got, want)
			}
		}
		if _, _, _, got := CleanRating(&RawRating{number(103), text, number(5)}); got != want {
			t.Errorf("the code %.40q: %q, want %q", text, got, want)
		}
	}
}

// What passes must be exactly what the text says: written out again, it is the same number.
func FuzzParseDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0.01", "99999999.99", "1.2300", ".7", "12."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseDecimal(text)
		if err != nil {
			return
		}
		if want, ok := new(rat).SetString(text); !ok || want.Cmp(hundredth(got)) != 0 {
			t.Errorf("%q became %d hundredths", text, got)
		}
		if got >= limit || got <= -limit {
			t.Errorf("%q is beyond DECIMAL(10,2)", text)
		}
	})
}
