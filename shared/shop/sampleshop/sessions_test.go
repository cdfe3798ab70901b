package sampleshop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recsys/shared/contract/shape"
	"recsys/shared/stream/activity"
)

func sessionsOf(t *testing.T, o Options, n int) []activity.Session {
	t.Helper()
	var text bytes.Buffer
	if err := WriteSessions(&text, o, n); err != nil {
		t.Fatal(err)
	}
	var all []activity.Session
	for lines := bufio.NewScanner(&text); lines.Scan(); {
		if _, err := activity.Parse(lines.Bytes(), activity.FormOf(shape.Lab)); err != nil {
			t.Fatalf("session %d is not a record of the stream: %v", len(all), err)
		}
		var s activity.Session
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if len(all) != n {
		t.Fatalf("%d sessions, want %d", len(all), n)
	}
	return all
}

func TestSessionsShowEveryWart(t *testing.T) {
	shop := shopSQL(t, Default())
	known := func(table, column string) map[string]bool {
		all := map[string]bool{}
		for _, v := range shop[table].column(t, column) {
			all[v] = true
		}
		return all
	}
	customers, products := known("customers", "customerNumber"), known("products", "productCode")
	seen, ids := map[string]int{}, map[string]bool{}
	for _, s := range sessionsOf(t, Default(), DefaultSessions) {
		ids[s.SessionID] = true
		note := func(what string, is bool) {
			if is {
				seen[what]++
			}
		}
		note("an unknown customer", !customers[strconv.FormatInt(s.CustomerNumber, 10)])
		note("no history", s.BrowseHistory != nil && len(s.BrowseHistory) == 0)
		for i, b := range s.BrowseHistory {
			_, text := b.Quantity.(string)
			note("a quantity as string", text)
			note("a quantity as number", !text)
			note("an unknown product", !products[b.ProductCode])
			note("a repeated product", i > 0 && b.ProductCode == s.BrowseHistory[0].ProductCode)
		}
		note("an unknown city", strange(s.City))
	}
	for _, want := range []string{"an unknown customer", "no history", "a quantity as string", "a quantity as number",
		"an unknown product", "a repeated product", "an unknown city"} {
		if seen[want] == 0 {
			t.Errorf("no session shows %s", want)
		}
	}
	if len(ids) != DefaultSessions {
		t.Errorf("%d different session ids", len(ids))
	}
	if n := seen["an unknown customer"]; n != 15 {
		t.Errorf("%d unknown customers, want 15", n)
	}
}

func strange(name string) bool {
	for _, c := range strangeCities {
		if c.city == name {
			return true
		}
	}
	return false
}

func TestSessionsFollowTaste(t *testing.T) {
	truth, err := TruthOf(Default())
	if err != nil {
		t.Fatal(err)
	}
	customers, products := map[int]CustomerFactors{}, map[string]ProductFactors{}
	for _, c := range truth.CustomerFactors {
		customers[c.CustomerNumber] = c
	}
	for _, p := range truth.ProductFactors {
		products[p.ProductCode] = p
	}
	var seen []float64
	for _, s := range sessionsOf(t, Default(), 1_000) {
		for _, b := range s.BrowseHistory {
			c, knownCustomer := customers[int(s.CustomerNumber)]
			if p, ok := products[b.ProductCode]; ok && knownCustomer {
				seen = append(seen, Affinity(c, p))
			}
		}
	}
	if mean(seen) < 0.4 {
		t.Errorf("mean affinity %.3f of what customers look at", mean(seen))
	}
}

// TestExample checks that the example names only things of the shop, for several shops.
func TestExample(t *testing.T) {
	for seed := range uint64(5) {
		o := Default()
		o.Seed += seed
		line, err := Example(o)
		if err != nil {
			t.Fatal(err)
		}
		record, err := activity.Parse([]byte(line), activity.FormOf(shape.Lab))
		if err != nil || !record.HasFeatures() || strings.ContainsAny(line, "'\\\n") {
			t.Errorf("%s: %v", line, err)
		}
		shop := shopSQL(t, o)
		if !slices.Contains(shop["customers"].column(t, "customerNumber"), *record.Customer) {
			t.Errorf("customer %s is none of the shop", *record.Customer)
		}
		carted := false
		for _, product := range record.Products {
			carted = carted || product.InCart
			if !slices.Contains(shop["products"].column(t, "productCode"), product.Code) {
				t.Errorf("product %s is none of the shop", product.Code)
			}
		}
		if !carted {
			t.Errorf("nothing is in the cart: %s", line)
		}
	}
}
