package main

import (
	"testing"

	"recsys/shared/shop/interactions"
)

// The load spells ids by all products of the shop, also by those of bad rows. The evaluation must agree with it.
func TestSpellingKnowsProductsOfBadRows(t *testing.T) {
	spelled := spelling(&interactions.Snapshot{
		Items: []string{"S10_a", "S20_a"}, Unsound: []string{"S20_A", "S30_b"}})
	for id, want := range map[string]string{
		"s10_A": "S10_a", "S30_B": "S30_b", "S20_a": "S20_a", "S20_A": "S20_A",
		"s20_a": "s20_a", // two products fit
		"gone":  "gone",
	} {
		if got := spelled(id); got != want {
			t.Errorf("%s is spelled %s, want %s", id, got, want)
		}
	}
}
