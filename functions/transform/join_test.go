package main

import (
	"io"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

// people is a stream of customers in memory.
type people []trainingtest.RawCustomer

func (s *people) Next() (training.Raw, error) {
	if len(*s) == 0 {
		return nil, io.EOF
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return next.Values(), nil
}

// catalog has products of these codes, and S99 without a price.
func catalog(codes ...string) products {
	out := training.Products{}
	for _, code := range codes {
		out.Add(shape.Lab, trainingtest.RawProduct{ProductCode: code, ProductLine: "Cars", ProductScale: "1:10", QuantityInStock: "7", BuyPrice: "48.81", MSRP: "95.70"}.Values())
	}
	out.Add(shape.Lab, trainingtest.RawProduct{ProductCode: "S99", ProductLine: "Cars", ProductScale: "1:10", QuantityInStock: "7"}.Values())
	return newProducts(shape.Lab, out)
}

func testJoin(codes ...string) *join {
	return labJoin(catalog(codes...), &people{
		{CustomerNumber: "", City: "Nowhere", Country: "None"},
		{CustomerNumber: number(-3), City: "Oslo ", Country: "Norway  ", CreditLimit: "0.00"},
		{CustomerNumber: number(103), City: "Nantes", Country: "France"},
		{CustomerNumber: number(112), City: "", Country: "USA"},
		{CustomerNumber: number(1 << 33), City: "Far", Country: "Away"},
	})
}

func labJoin(products products, from stream) *join {
	return newJoin(shape.Lab, time.Now(), products, &merge{shop: shape.Lab, stream: from, close: func() error { return nil }})
}

// rowOf puts the parts of a row together. Without any it is empty.
func rowOf(t *testing.T, parts [][]parquet.Value) (row trainingtest.Row) {
	t.Helper()
	if parts == nil {
		return row
	}
	if err := parquet.SchemaOf(row).Reconstruct(&row, slices.Concat(parts...)); err != nil {
		t.Fatal(err)
	}
	return row
}

func TestJoin(t *testing.T) {
	j := testJoin("S10")
	for i, test := range []struct {
		raw  trainingtest.RawRating
		want training.Reason
	}{
		{trainingtest.RawRating{CustomerNumber: "", ProductCode: "S10", ProductRating: number(3)}, training.NoCustomerNumber},
		{trainingtest.RawRating{CustomerNumber: number(-4), ProductCode: "S10", ProductRating: number(3)}, training.UnknownCustomer},
		{trainingtest.RawRating{CustomerNumber: number(-3), ProductCode: " S10 ", ProductRating: number(3)}, ""},
		{trainingtest.RawRating{CustomerNumber: number(-3), ProductCode: "S10", ProductRating: number(4)}, training.DuplicateRating},
		{trainingtest.RawRating{CustomerNumber: number(103), ProductCode: "S10", ProductRating: number(6)}, training.RatingOutOfRange},
		{trainingtest.RawRating{CustomerNumber: number(103), ProductCode: "S10", ProductRating: number(5)}, ""},
		{trainingtest.RawRating{CustomerNumber: number(103), ProductCode: "S50", ProductRating: number(5)}, training.UnknownProduct},
		{trainingtest.RawRating{CustomerNumber: number(103), ProductCode: "S99", ProductRating: number(5)}, training.NoPrice},
		{trainingtest.RawRating{CustomerNumber: number(104), ProductCode: "S10", ProductRating: number(5)}, training.UnknownCustomer},
		{trainingtest.RawRating{CustomerNumber: number(112), ProductCode: "S10", ProductRating: number(5)}, training.IncompleteAddress},
		{trainingtest.RawRating{CustomerNumber: number(500), ProductCode: "S10", ProductRating: number(5)}, training.UnknownCustomer},
	} {
		parts, reason, err := j.row(test.raw.Values())
		if err != nil || reason != test.want {
			t.Errorf("rating %d: %q, %v; want %q", i, reason, err, test.want)
		}
		row := rowOf(t, parts)
		if reason == "" && (number(int64(row.CustomerNumber)) != test.raw.CustomerNumber || row.ProductCode != "S10" || row.City == "") {
			t.Errorf("rating %d: row %+v", i, row)
		}
	}
}

func TestJoinRefusesDisorder(t *testing.T) {
	j := testJoin("S10")
	for _, customer := range []int64{103, -3} {
		_, _, err := j.row(trainingtest.RawRating{CustomerNumber: number(customer), ProductCode: "S10", ProductRating: number(3)}.Values())
		if (err != nil) != (customer == -3) {
			t.Errorf("customer %d: %v", customer, err)
		}
	}
}

func TestWithoutCustomersEveryRatingIsRefused(t *testing.T) {
	j := labJoin(catalog("S10"), new(people))
	for range 2 {
		_, reason, err := j.row(trainingtest.RawRating{CustomerNumber: number(1), ProductCode: "S10", ProductRating: number(3)}.Values())
		if reason != training.UnknownCustomer || err != nil {
			t.Errorf("%s, %v", reason, err)
		}
	}
}

// A duplicate need not follow the rating that it repeats: MySQL sorts " S10" before all of "A1", "S10" and "s10".
func TestDuplicatesByBlanksAndCase(t *testing.T) {
	j := testJoin("A1", "S10")
	for i, test := range []struct {
		customer int64
		code     string
		want     training.Reason
	}{
		{-3, " S10", ""}, {-3, "A1", ""}, {-3, "S10", training.DuplicateRating}, {-3, "s10 ", training.DuplicateRating},
		{-3, "a1", training.DuplicateRating}, {103, "A1", ""}, {103, "s10", ""},
	} {
		parts, reason, err := j.row(trainingtest.RawRating{CustomerNumber: number(test.customer), ProductCode: test.code, ProductRating: number(3)}.Values())
		if err != nil || reason != test.want {
			t.Errorf("rating %d: %q, %v; want %q", i, reason, err, test.want)
		}
		row := rowOf(t, parts)
		if reason == "" && row.ProductCode != "S10" && row.ProductCode != "A1" {
			t.Errorf("rating %d: the product's own spelling became %q", i, row.ProductCode)
		}
	}
}

func TestProductsThatCannotBeToldApart(t *testing.T) {
	j := testJoin("S10", "S10 ", "B1", "b1", "C1")
	for code, want := range map[string]training.Reason{
		"S10": training.DuplicateProduct, "s10": training.DuplicateProduct,
		"B1": "", "b1": "", "c1": "", "S99": training.NoPrice, "s99": training.NoPrice, "D1": training.UnknownProduct,
	} {
		_, reason, err := j.row(trainingtest.RawRating{CustomerNumber: number(103), ProductCode: code, ProductRating: number(3)}.Values())
		if err != nil || reason != want {
			t.Errorf("%s: %q, %v; want %q", code, reason, err, want)
		}
	}
	j = testJoin("AB", "aB")
	if _, reason, _ := j.row(trainingtest.RawRating{CustomerNumber: number(103), ProductCode: "ab", ProductRating: number(3)}.Values()); reason != training.AmbiguousProduct {
		t.Errorf("a code of either of two products: %q", reason)
	}
}
