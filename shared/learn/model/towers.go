package model

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tower is a group of layers in the order in which they are applied.
type tower struct {
	name   string
	layers []layer
	// ambiguous: the layers could follow one another in several orders.
	ambiguous bool
}

func (t tower) in() int  { return t.layers[0].in() }
func (t tower) out() int { return t.layers[len(t.layers)-1].out() }

// numbers is how many weights the tower holds, or more than maxNumbers where it would be more.
func (t tower) numbers() int {
	n := 0
	for _, l := range t.layers {
		n += l.weight.elements()
		if l.bias != nil {
			n += l.bias.elements()
		}
		if n > maxNumbers {
			break
		}
	}
	return n
}

// userTower returns the layers that turn the user's features into an embedding.
//
// The same names may be read in two ways: 0 and 2, or fc1 and fc2, are two towers of one layer each, or the two
// layers of one tower that was saved alone. All layers are one tower if none is named after items and each takes the
// output of the one before. Two towers of such widths are rare: the items would need as many features as an embedding
// has numbers.
//
// Layers that come ordered are applied in that order.
func userTower(layers []layer, features int, ordered bool) (tower, error) {
	groups := groupsOf(layers)
	for _, group := range groups {
		if err := group.allLinear(); err != nil {
			return tower{}, err
		}
	}
	whole := joined(groups)
	if !ordered {
		for i := range groups {
			groups[i].arrange()
		}
		whole.arrange()
	}
	alone := whole.inSequence() == nil && !slices.ContainsFunc(groups, func(t tower) bool { return namesItem(t.name) })
	takes := func(t tower) bool { return t.in() == features }
	if alone && (takes(whole) || len(groups) == 1 || !slices.ContainsFunc(groups, takes)) {
		return whole, whole.fits(features)
	}
	return oneOfTwo(groups, features)
}

// oneOfTwo picks the tower whose name is a user's, else the one that takes as many numbers as the user's features are.
func oneOfTwo(towers []tower, features int) (tower, error) {
	if len(towers) > 2 {
		return tower{}, fmt.Errorf("%d groups of layers (%s). Two towers of Linear layers are read, with names that start alike, such as user_nn.0 and item_nn.0", len(towers), names(towers))
	}
	user, err := pickUser(towers, features)
	if err != nil {
		return tower{}, err
	}
	for _, t := range towers {
		if err := t.inSequence(); err != nil {
			return tower{}, err
		}
	}
	if a, b := towers[0].out(), towers[len(towers)-1].out(); a != b {
		return tower{}, fmt.Errorf("the towers %s end in different dimensions, %d and %d", names(towers), a, b)
	}
	return user, user.fits(features)
}

func pickUser(towers []tower, features int) (tower, error) {
	for _, fits := range []func(tower) bool{
		func(t tower) bool { return namesUser(t.name) },
		func(t tower) bool { return t.in() == features },
	} {
		var fitting []tower
		for _, t := range towers {
			if fits(t) {
				fitting = append(fitting, t)
			}
		}
		if len(fitting) == 1 {
			return fitting[0], nil
		}
	}
	return tower{}, fmt.Errorf("which tower is the user's? None or both of %s are named so, and none or both take the %d numbers of the scalers. Name one's layers user…", names(towers), features)
}

// fits holds the tower to the number of the user's features.
func (t tower) fits(features int) error {
	if t.ambiguous {
		return fmt.Errorf("the order of the user tower's layers (%.60q, %.60q …) cannot be told, because the file does not keep it: number the layers, such as fc1 and fc2", t.layers[0].path, t.layers[1].path)
	}
	if t.in() != features {
		return fmt.Errorf("the user tower %.40q takes %d numbers, but the scalers give %d (the credit limit and the categories of city and country)", t.name, t.in(), features)
	}
	return nil
}

// groupsOf groups the layers by the first part of their names in which they differ. Parts stand between dots and
// underscores: user_nn.0 and item_nn.0, or towers.user.fc1 and towers.item.fc1.
func groupsOf(layers []layer) []tower {
	common := commonParts(slices.DeleteFunc(slices.Clone(layers), layer.isStray))
	var groups []tower
	for _, l := range layers {
		parts := nameParts(l.path)
		name := parts[min(common, len(parts)-1)]
		i := slices.IndexFunc(groups, func(t tower) bool { return t.name == name })
		if i < 0 {
			i, groups = len(groups), append(groups, tower{name: name})
		}
		groups[i].layers = append(groups[i].layers, l)
	}
	groups = slices.DeleteFunc(groups, func(t tower) bool { // such as a learnt temperature next to the towers
		return !slices.ContainsFunc(t.layers, layer.counts)
	})
	for _, t := range groups {
		t.sort()
	}
	return groups
}

// joined returns all layers as one tower.
func joined(groups []tower) tower {
	whole := tower{name: groups[0].name}
	for _, group := range groups {
		whole.layers = append(whole.layers, group.layers...)
	}
	whole.sort()
	return whole
}

func nameParts(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '_' })
}

// commonParts counts the parts that all paths start with, up to one that names a side.
func commonParts(layers []layer) int {
	first := nameParts(layers[0].path)
	for n, part := range first {
		for _, l := range layers {
			if parts := nameParts(l.path); namesUser(part) || namesItem(part) || n >= len(parts) || parts[n] != part {
				return n
			}
		}
	}
	return len(first) - 1
}

// The words by which people name the two sides.
var (
	userWords = []string{"user", "customer", "query", "member", "client", "visitor", "buyer", "shopper"}
	itemWords = []string{"item", "product", "candidate", "article", "sku", "document"}
)

func namesUser(name string) bool { return holdsOneOf(name, userWords) }
func namesItem(name string) bool { return holdsOneOf(name, itemWords) }

func holdsOneOf(name string, words []string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

var digits = regexp.MustCompile(`[0-9]+`)

// sort puts layers with names that differ in numbers alone (fc1, fc2, fc10) in the order of these. Others stay in the
// dict's order.
func (t tower) sort() {
	for _, l := range t.layers {
		if l.pattern != t.layers[0].pattern {
			return
		}
	}
	slices.SortStableFunc(t.layers, func(a, b layer) int {
		return slices.Compare(numbersIn(a.path), numbersIn(b.path))
	})
}

// patternOf returns a layer's path without its numbers.
func patternOf(path string) string { return digits.ReplaceAllString(path, "#") }

func numbersIn(path string) []int {
	var numbers []int
	for _, text := range digits.FindAllString(path, -1) {
		n, _ := strconv.Atoi(text)
		numbers = append(numbers, n)
	}
	return numbers
}

func names(towers []tower) string {
	var quoted []string
	for _, t := range towers[:min(len(towers), 5)] {
		quoted = append(quoted, fmt.Sprintf("%.40q", t.name))
	}
	return strings.Join(quoted, ", ")
}
