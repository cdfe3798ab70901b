package sourcesize

import (
	"errors"
	"strings"
	"testing"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
)

func TestCheck(t *testing.T) {
	full := lake.Latest{Snapshot: "before", Source: "shop", Rows: 1000, Customers: 100, Products: 11}
	for name, test := range map[string]struct {
		now    lake.Size
		active lake.Latest
		rule   Rule
		want   string
		shrank bool
	}{
		"no snapshot":       {lake.Size{Source: "shop"}, lake.Latest{}, Rule{Share: 0.5}, "no snapshot before", false},
		"another source":    {lake.Size{Source: "other"}, full, Rule{Share: 0.5}, "another source", false},
		"no source":         {lake.Size{Source: "shop"}, lake.Latest{Snapshot: "old", Rows: 9}, Rule{Share: 0.5}, "names no source", false},
		"as large":          {full.Size(), full, Rule{Share: 1}, "compared with snapshot before", false},
		"just enough":       {lake.Size{Source: "shop", Rows: 500, Customers: 50, Products: 6}, full, Rule{Share: 0.5}, "compared", false},
		"ratings":           {lake.Size{Source: "shop", Rows: 499, Customers: 50, Products: 6}, full, Rule{Share: 0.5}, "499 ratings instead of 1000", true},
		"customers":         {lake.Size{Source: "shop", Rows: 500, Customers: 49, Products: 6}, full, Rule{Share: 0.5}, "49 customers with ratings instead of 100", true},
		"products":          {lake.Size{Source: "shop", Rows: 500, Customers: 50, Products: 5}, full, Rule{Share: 0.5}, "5 products instead of 11", true},
		"nothing":           {lake.Size{Source: "shop"}, full, Rule{Share: 0.5}, "0 ratings instead of 1000, 0 customers with ratings instead of 100, 0 products instead of 11", true},
		"accepted":          {lake.Size{Source: "shop"}, full, Rule{Share: 0.5, Accept: true}, "accepted: 0 ratings instead of 1000", false},
		"any":               {lake.Size{Source: "shop"}, full, Rule{}, "compared", false},
		"nothing as before": {lake.Size{Source: "shop"}, lake.Latest{Snapshot: "empty", Source: "shop"}, Rule{Share: 0.5}, "compared", false},
	} {
		comparison, err := test.rule.Check(test.now, test.active)
		if test.shrank != errors.Is(err, failure.SourceShrank) {
			t.Errorf("%s: %v", name, err)
		}
		said := comparison
		if err != nil {
			said = err.Error()
		}
		if !strings.Contains(said, test.want) || test.shrank && !strings.Contains(said, "acceptShrunkSource") {
			t.Errorf("%s: said %q, want %q", name, said, test.want)
		}
	}
}
