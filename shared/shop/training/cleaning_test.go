package training

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
)

func TestParseHundredths(t *testing.T) {
	for text, want := range map[string]struct {
		hundredths int64
		exact      bool
	}{
		"0": {0, true}, "0.00": {0, true}, "7": {700, true}, "7.": {700, true}, ".5": {50, true}, "43300.00": {4330000, true},
		"12.5": {1250, true}, "12.5000": {1250, true}, "-3.07": {-307, true}, "+1.10": {110, true},
		"99999999.99": {9_999_999_999, true}, "-99999999.99": {-9_999_999_999, true}, "00000000000000000001.25": {125, true},
		"8.333333": {833, false}, "12.005": {1201, false}, "12.004999": {1200, false}, "-0.005": {-1, false}, "0.001": {0, false},
		"0.000000": {0, true}, "99999999.994": {9_999_999_999, false}, "0.99999999999999999999999999": {100, false},
		"1e3": {100000, true}, "1.5e-7": {0, false}, "5e-3": {1, false}, "2.5E+1": {2500, true}, "0e99": {0, true},
	} {
		if got, exact, err := ParseHundredths(text); err != nil || got != want.hundredths || exact != want.exact {
			t.Errorf("%q: got %d, %v, %v; want %v", text, got, exact, err, want)
		}
	}
	for _, text := range []string{
		"", "-", ".", "+.", "1,5", " 1", "1 ", "--1", "1.2.3", "100000000", "100000000.00", "99999999.995", "1.7976931348623157e308",
		"99999999999999999999999999", "NaN", "inf", "٣", "1e", "e5", "1e99999999999999999999", "0x1p4", "1_000", "1/3",
	} {
		if got, _, err := ParseHundredths(text); err == nil {
			t.Errorf("%q passed as %d", text, got)
		}
	}
}

func TestParseQuantity(t *testing.T) {
	for text, want := range map[string]int32{
		"7933": 7933, "0": 0, "-3": -3, "0.0000": 0, "0.2500": 1, "12.0001": 13, "-0.5": 0, "2147483647": 2147483647, "-2147483648": -2147483648, "3e2": 300,
	} {
		if got, err := parseQuantity(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2147483648", "2147483647.1", "18446744073709551615", "none"} {
		if got, err := parseQuantity(text); err == nil {
			t.Errorf("%q passed as %d", text, got)
		}
	}
}

func TestCleanCustomerTrimsAndKeepsOptionalEmpty(t *testing.T) {
	for _, test := range []struct {
		raw  trainingtest.RawCustomer
		want string
	}{
		{trainingtest.RawCustomer{City: " Stavern", State: "  ", PostalCode: "4110\t", Country: "Norway  ", CreditLimit: "81700.00"}, "Stavern|<null>|4110|Norway|8170000"},
		{trainingtest.RawCustomer{City: "a", Country: "b"}, "a|<null>|<null>|b|<null>"},
		{trainingtest.RawCustomer{City: "a", Country: "b", CreditLimit: "0.00"}, "a|<null>|<null>|b|0"},
	} {
		values, reason := CleanCustomer(shape.Lab, test.raw.Values())
		var texts []string
		for _, value := range values {
			texts = append(texts, value.String())
		}
		if got := strings.Join(texts, "|"); got != test.want || reason != "" {
			t.Errorf("%+v: %s %q, want %s", test.raw, got, reason, test.want)
		}
	}
}

func TestCleaningNamesTheReason(t *testing.T) {
	for _, test := range []struct {
		raw  trainingtest.RawCustomer
		want Reason
	}{
		{trainingtest.RawCustomer{City: " ", Country: "Norway"}, IncompleteAddress},
		{trainingtest.RawCustomer{City: "Oslo"}, IncompleteAddress},
		{trainingtest.RawCustomer{City: "Oslo", Country: "Norway", CreditLimit: "100000000"}, CreditLimitOutOfRange},
	} {
		if _, got := CleanCustomer(shape.Lab, test.raw.Values()); got != test.want {
			t.Errorf("%+v: %s, want %s", test.raw, got, test.want)
		}
	}
	good := trainingtest.RawProduct{ProductCode: "S10 ", ProductLine: "Cars", ProductScale: "1:10", QuantityInStock: "7933", BuyPrice: "48.81", MSRP: "95.70"}
	for _, test := range []struct {
		change func(*trainingtest.RawProduct)
		want   Reason
	}{
		{func(*trainingtest.RawProduct) {}, ""},
		{func(p *trainingtest.RawProduct) { p.ProductLine = "" }, IncompleteProduct},
		{func(p *trainingtest.RawProduct) { p.ProductScale = "\n" }, IncompleteProduct},
		{func(p *trainingtest.RawProduct) { p.QuantityInStock = "" }, NoQuantity},
		{func(p *trainingtest.RawProduct) { p.QuantityInStock = "2147483648" }, QuantityOutOfRange},
		{func(p *trainingtest.RawProduct) { p.BuyPrice = "" }, NoPrice},
		{func(p *trainingtest.RawProduct) { p.MSRP = "100000000.00" }, PriceOutOfRange},
	} {
		raw := good
		test.change(&raw)
		products := Products{}
		products.Add(shape.Lab, raw.Values())
		if product, found := products["S10"]; !found || product.Reason != test.want {
			t.Errorf("%+v: %+v, want %s", raw, products, test.want)
		}
	}
	for _, test := range []struct {
		raw  Raw
		want Reason
	}{
		{Raw{"103", "S10", "1"}, ""},
		{Raw{"-2147483648", "S10", "5"}, ""},
		{Raw{"", "S10", "5"}, NoCustomerNumber},
		{Raw{"2147483648", "S10", "5"}, CustomerOutOfRange},
		{Raw{"18446744073709551615", "S10", "5"}, CustomerOutOfRange},
		{Raw{"103", "  ", "5"}, NoProductCode},
		{Raw{"103", "S10", ""}, NoRating},
		{Raw{"103", "S10", "0"}, RatingOutOfRange},
		{Raw{"103", "S10", "6"}, RatingOutOfRange},
	} {
		if _, got := cleaned(test.raw, WholeRatings); got != test.want {
			t.Errorf("%+v: %s, want %s", test.raw, got, test.want)
		}
	}
}

// cleaned cleans a rating of the lab's shop.
func cleaned(raw Raw, of RatingType) (rating Interaction, reason Reason) {
	reason = NewInteractions(shape.Lab.WithRatings(shape.Type(of)), time.Now()).Clean(raw, &rating)
	return rating, reason
}

func TestCleanRatingByType(t *testing.T) {
	for _, test := range []struct {
		of   RatingType
		text string
		want int32
		why  Reason
	}{
		{WholeRatings, "5", 5, ""}, {WholeRatings, "1.0", 1, ""}, {WholeRatings, "3.5", 0, RatingTooPrecise},
		{FractionalRatings, "5.0", 500, ""}, {FractionalRatings, "0.5", 50, ""}, {FractionalRatings, "4.25", 425, ""},
		{FractionalRatings, "3", 300, ""}, {FractionalRatings, "4.3333", 0, RatingTooPrecise}, {FractionalRatings, "0.49", 0, RatingOutOfRange},
		{FractionalRatings, "5.01", 0, RatingOutOfRange}, {FractionalRatings, "5.004", 0, RatingTooPrecise}, {FractionalRatings, "1e9", 0, RatingOutOfRange},
		{FractionalRatings, "-4.5", 0, RatingOutOfRange}, {FractionalRatings, "0", 0, RatingOutOfRange},
	} {
		got, why := cleaned(Raw{"103", "S10", test.text}, test.of)
		if why != test.why || why == "" && got.Values[0].Int32() != test.want {
			t.Errorf("%s as %s: got %d, %q; want %d, %q", test.text, test.of, got.Values, why, test.want, test.why)
		}
	}
}

// A text that one of the lake's readers or PostgreSQL cannot carry goes to quarantine, in any column.
func TestBadTextIsRefused(t *testing.T) {
	long := strings.Repeat("é", lake.MaxText)
	for text, want := range map[string]Reason{
		"Fra\x00nce": TextWithNUL, "\x00": TextWithNUL, "Fran\xe7ais": TextNotUTF8, long + "é": TextTooLong,
		long: "", " " + long + " ": "", "a\U0001F600": "", "\uFFFD": "",
	} {
		customers, products := [4]trainingtest.RawCustomer{}, [3]trainingtest.RawProduct{}
		for i := range customers {
			customers[i] = trainingtest.RawCustomer{City: "Oslo", Country: "Norway"}
		}
		for i := range products {
			products[i] = trainingtest.RawProduct{ProductCode: "S10", ProductLine: "Cars", ProductScale: "1:10", QuantityInStock: "7933", BuyPrice: "48.81", MSRP: "95.70"}
		}
		customers[0].City, customers[1].State, customers[2].PostalCode, customers[3].Country = text, text, text, text
		products[0].ProductCode, products[1].ProductLine, products[2].ProductScale = text, text, text
		for _, raw := range customers {
			if _, got := CleanCustomer(shape.Lab, raw.Values()); got != want {
				t.Errorf("%.40q in a text: %q, want %q", text, got, want)
			}
		}
		for _, raw := range products {
			products := Products{}
			products.Add(shape.Lab, raw.Values())
			for _, got := range products {
				if got.Reason != want {
					t.Errorf("%.40q in a text: %q, want %q", text, got.Reason, want)
				}
			}
		}
		if _, got := cleaned(Raw{"103", text, "5"}, WholeRatings); got != want {
			t.Errorf("the code %.40q: %q, want %q", text, got, want)
		}
	}
}

// The number is the one that the text says, rounded to hundredths with halves away from zero.
func FuzzParseHundredths(f *testing.F) {
	for _, seed := range []string{"0", "-0.01", "99999999.99", "1.2300", ".7", "12.", "0.005", "8.3333e2", "-1e-3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, exact, err := ParseHundredths(text)
		if err != nil || len(text) > 300 {
			return
		}
		want, ok := new(rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no number and became %d hundredths", text, got)
		}
		off := new(rat).Sub(hundredth(got), want)
		if exact != (off.Sign() == 0) {
			t.Errorf("%q became %d hundredths, exact %v", text, got, exact)
		}
		if off.Abs(off).Cmp(big.NewRat(1, 200)) > 0 {
			t.Errorf("%q became %d hundredths", text, got)
		}
		if got >= 10_000_000_000 || got <= -10_000_000_000 {
			t.Errorf("%q is beyond DECIMAL(10,2)", text)
		}
	})
}
