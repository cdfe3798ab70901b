package main

import (
	"errors"
	"testing"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
)

// A source keeps its first layout, unless the option says otherwise.
func TestTheLayoutOfASnapshot(t *testing.T) {
	option := settings.Default[settings.Layout]()
	dense := numbers{first: 103, last: 496, some: true}
	byFile := shape.Lab
	byFile.Source.Interactions, byFile.Layout = []shape.Query{{SQL: "SELECT 1"}}, shape.ByRange
	texts := byFile
	texts.Customer.Type = shape.Text
	for name, test := range map[string]struct {
		option    string
		shop      shape.Shop
		customers int64
		span      numbers
		before    lake.Latest
		want      shape.Layout
	}{
		"the first snapshot":                {"auto", shape.Lab, 122, dense, lake.Latest{}, shape.ByCustomer},
		"many customers":                    {"auto", shape.Lab, 100_001, dense, lake.Latest{}, shape.ByRange},
		"few customers with far numbers":    {"auto", shape.Lab, 122, numbers{first: -5, last: 2_000_000_000, some: true}, lake.Latest{}, shape.ByRange},
		"no customers":                      {"auto", shape.Lab, 0, numbers{}, lake.Latest{}, shape.ByCustomer},
		"more customers than at first":      {"auto", shape.Lab, 100_001, dense, lake.Latest{Snapshot: "a", Source: "shop"}, shape.ByCustomer},
		"fewer customers than at first":     {"auto", shape.Lab, 122, dense, lake.Latest{Snapshot: "a", Source: "shop", Layout: shape.ByRange}, shape.ByRange},
		"another source before":             {"auto", shape.Lab, 122, dense, lake.Latest{Snapshot: "a", Source: "other", Layout: shape.ByRange}, shape.ByCustomer},
		"a shop file before":                {"auto", shape.Lab, 122, dense, lake.Latest{Snapshot: "a", Source: "shop", Shop: "1f", Layout: shape.ByRange}, shape.ByCustomer},
		"the option against the one before": {"range", shape.Lab, 122, dense, lake.Latest{Snapshot: "a", Source: "shop"}, shape.ByRange},
		"the shop file":                     {"auto", byFile, 122, dense, lake.Latest{Snapshot: "a", Source: "shop"}, shape.ByRange},
		"the option against the shop file":  {"customer", byFile, 122, dense, lake.Latest{}, shape.ByCustomer},
		"texts":                             {"auto", texts, 122, numbers{unknown: true}, lake.Latest{}, shape.ByRange},
	} {
		option.Partitions = test.option
		got, err := layoutOf(option, test.shop, test.customers, test.span, "shop", test.before)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
	}
	option.Partitions = "customer"
	if _, err := layoutOf(option, texts, 1, numbers{}, "shop", lake.Latest{}); !errors.Is(err, failure.SchemaMismatch) {
		t.Errorf("folders of texts: %v", err)
	}
}

func TestTheSpanOfCustomers(t *testing.T) {
	var span numbers
	for _, key := range []string{"7", "-3", "9"} {
		span.add(&key)
	}
	span.add(nil)
	if span != (numbers{first: -3, last: 9, some: true}) || !span.dense(3) {
		t.Errorf("%+v", span)
	}
	text := "0x41"
	if span.add(&text); span.dense(3) {
		t.Error("a text is a number")
	}
}
