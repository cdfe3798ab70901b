package model

import (
	"fmt"
	"strings"
	"testing"
)

// unlike returns layers of one width with names that differ in more than numbers.
func unlike(count int) []layer {
	letters := strings.NewReplacer("0", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7", "h", "8", "i", "9", "j")
	var layers []layer
	for i := range count {
		path := "user_" + letters.Replace(fmt.Sprintf("%03d", i))
		layers = append(layers, layer{path: path, pattern: path, weight: tensor{shape: []int{4, 4}}})
	}
	return layers
}

// The search must end soon for any layers. A search that does not would run into the limit of the whole test.
func TestTheOrderOfAThousandUnlikeLayersIsNotSearchedForLong(t *testing.T) {
	equal := tower{layers: unlike(1000)}
	if equal.arrange(); !equal.ambiguous {
		t.Error("layers that fit in any order have one order")
	}
	stray := tower{layers: append(unlike(999), layer{path: "user_last", pattern: "user_last", weight: tensor{shape: []int{5, 6}}})}
	if stray.arrange(); len(stray.layers) != 1000 || stray.inSequence() == nil {
		t.Errorf("%d layers are in sequence, though one fits no other", len(stray.layers))
	}
}
