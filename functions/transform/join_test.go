package main

import (
	"io"
	"testing"

	"recsys/shared/training"
)

func number(n int64) *int64 { return &n }

// stream is a stream of customers in memory.
type stream []training.RawCustomer

func (s *stream) Next() (*training.RawCustomer, error) {
	if len(*s) == 0 {
		return nil, io.EOF
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return &next, nil
}

func newJoin() *join {
	return &join{
		customers: &stream{
			{CustomerNumber: nil, City: "Nowhere", Country: "None"},
			{CustomerNumber: number(-3), City: "Oslo ", Country: "Norway  ", CreditLimit: "0.00"},
			{CustomerNumber: number(103), City: "Nantes", Country: "France"},
			{CustomerNumber: number(112), City: "", Country: "USA"},
			{CustomerNumber: number(1 << 33), City: "Far", Country: "Away"},
		},
		products: map[string]product{
			"S10": {Product: training.Product{Code: "S10", Line: "Cars", Scale: "1:10", BuyPrice: 4881, MSRP: 9570}},
			"S99": {Product: training.Product{Code: "S99"}, reason: training.BadPrice},
		},
	}
}

func TestJoin(t *testing.T) {
	j := newJoin()
	for i, test := range []struct {
		raw  training.RawRating
		want training.Reason
	}{
		{training.RawRating{CustomerNumber: nil, ProductCode: "S10", ProductRating: number(3)}, training.NoCustomerNumber},
		{training.RawRating{CustomerNumber: number(-4), ProductCode: "S10", ProductRating: number(3)}, training.UnknownCustomer},
		{training.RawRating{CustomerNumber: number(-3), ProductCode: " S10 ", ProductRating: number(3)}, ""},
		{training.RawRating{CustomerNumber: number(-3), ProductCode: "S10", ProductRating: number(4)}, training.DuplicateRating},
		{training.RawRating{CustomerNumber: number(103), ProductCode: "S10", ProductRating: number(6)}, training.RatingOutOfRange},
		{training.RawRating{CustomerNumber: number(103), ProductCode: "S10", ProductRating: number(5)}, ""},
		{training.RawRating{CustomerNumber: number(103), ProductCode: "S50", ProductRating: number(5)}, training.UnknownProduct},
		{training.RawRating{CustomerNumber: number(103), ProductCode: "S99", ProductRating: number(5)}, training.BadPrice},
		{training.RawRating{CustomerNumber: number(104), ProductCode: "S10", ProductRating: number(5)}, training.UnknownCustomer},
		{training.RawRating{CustomerNumber: number(112), ProductCode: "S10", ProductRating: number(5)}, training.IncompleteAddress},
		{training.RawRating{CustomerNumber: number(500), ProductCode: "S10", ProductRating: number(5)}, training.UnknownCustomer},
	} {
		row, reason, err := j.row(&test.raw)
		if err != nil || reason != test.want {
			t.Errorf("rating %d: %q, %v; want %q", i, reason, err, test.want)
		}
		if reason == "" && (int64(row.CustomerNumber) != *test.raw.CustomerNumber || row.ProductCode != "S10" || row.City == "") {
			t.Errorf("rating %d: row %+v", i, row)
		}
	}
}

func TestJoinRefusesDisorder(t *testing.T) {
	j := newJoin()
	for _, customer := range []int64{103, -3} {
		_, _, err := j.row(&training.RawRating{CustomerNumber: number(customer), ProductCode: "S10", ProductRating: number(3)})
		if (err != nil) != (customer == -3) {
			t.Errorf("customer %d: %v", customer, err)
		}
	}
}

func TestWithoutCustomersEveryRatingIsRefused(t *testing.T) {
	j := join{customers: new(stream), products: newJoin().products}
	for range 2 {
		_, reason, err := j.row(&training.RawRating{CustomerNumber: number(1), ProductCode: "S10", ProductRating: number(3)})
		if reason != training.UnknownCustomer || err != nil {
			t.Errorf("%s, %v", reason, err)
		}
	}
}
