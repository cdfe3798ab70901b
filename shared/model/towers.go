package model

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"recsys/shared/model/pickle"
)

// layer is a Linear layer as a state dict holds it, its values not read yet.
type layer struct {
	path    string  // such as "user_nn.0"
	weight  tensor  // out by in
	bias    *tensor // nil: Linear(bias=False)
	foreign string  // a parameter that no Linear layer has, such as "running_mean"
}

// isStray tells parameters that are part of no Linear layer.
func (l layer) isStray() bool { return l.weight.shape == nil }

func (l layer) in() int  { return l.weight.shape[1] }
func (l layer) out() int { return l.weight.shape[0] }

// tower is a group of layers in the order in which they are applied.
type tower struct {
	name   string
	layers []layer
}

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

// stateDict is the named values of a state dict, in order.
type stateDict []pickle.Item

// findStateDict looks for a dict that holds weights: the root itself, one of its values, or one of theirs.
func findStateDict(root any) (stateDict, error) {
	level := []pickle.Item{{Key: "", Value: root}}
	seen := map[any]bool{} // a dict may be shared, even with itself
	for range 3 {
		var found, next []pickle.Item
		for _, item := range level {
			if !isDict(item.Value) || seen[item.Value] {
				continue
			}
			seen[item.Value] = true
			items := dictItems(item.Value)
			if holdsWeights(items) {
				found = append(found, item)
			}
			next = append(next, items...)
		}
		if len(found) > 0 {
			return chooseStateDict(found), nil
		}
		level = next
	}
	return nil, errors.New("no state dict in it (no key that ends in .weight); " + adviceModel)
}

// chooseStateDict takes the one with a customary name; without one, several are towers saved one by one.
func chooseStateDict(found []pickle.Item) stateDict {
	for _, name := range []string{"model_state_dict", "state_dict", "model"} {
		for _, item := range found {
			if item.Key == name {
				return dictItems(item.Value)
			}
		}
	}
	if len(found) == 1 {
		return dictItems(found[0].Value)
	}
	var all stateDict
	for _, part := range found {
		name, _ := part.Key.(string)
		for _, item := range dictItems(part.Value) {
			if key, ok := item.Key.(string); ok {
				all = append(all, pickle.Item{Key: name + "." + key, Value: item.Value})
			}
		}
	}
	return all
}

func isDict(v any) bool {
	switch v.(type) {
	case *pickle.Dict, *pickle.Object:
		return true
	}
	return false
}

func dictItems(v any) []pickle.Item {
	switch v := v.(type) {
	case *pickle.Dict:
		return v.Items
	case *pickle.Object:
		return v.Items
	}
	return nil
}

func holdsWeights(items []pickle.Item) bool {
	return slices.ContainsFunc(items, func(item pickle.Item) bool {
		key, _ := item.Key.(string)
		_, err := tensorOf(item.Value)
		return err == nil && strings.HasSuffix(key, ".weight")
	})
}

// towersOf groups the Linear layers by the first part of their names in which not all agree, in parts
// between dots and underscores: user_nn.0 and item_nn.0, or towers.user.fc1 and towers.item.fc1.
func towersOf(dict stateDict) ([]tower, error) {
	layers, err := layersOf(dict)
	if err != nil {
		return nil, err
	}
	common := commonParts(slices.DeleteFunc(slices.Clone(layers), layer.isStray))
	var towers []tower
	for _, l := range layers {
		parts := nameParts(l.path)
		name := parts[min(common, len(parts)-1)]
		i := slices.IndexFunc(towers, func(t tower) bool { return t.name == name })
		if i < 0 {
			i, towers = len(towers), append(towers, tower{name: name})
		}
		towers[i].layers = append(towers[i].layers, l)
	}
	towers = slices.DeleteFunc(towers, func(t tower) bool { // such as a learnt temperature beside the towers
		return !slices.ContainsFunc(t.layers, func(l layer) bool { return !l.isStray() })
	})
	for _, t := range towers {
		t.sort()
	}
	return towers, nil
}

// layersOf collects weights and biases under their layer's path, in the dict's order: that in which the
// model registered them.
func layersOf(dict stateDict) ([]layer, error) {
	var layers []layer
	index := map[string]int{}
	for _, item := range dict {
		key, _ := item.Key.(string)
		t, err := tensorOf(item.Value)
		dot := strings.LastIndexByte(key, '.')
		if err != nil || dot < 0 || len(nameParts(key[:dot])) == 0 {
			continue
		}
		path, parameter := key[:dot], key[dot+1:]
		i, known := index[path]
		if !known {
			i, layers = len(layers), append(layers, layer{path: path})
			index[path] = i
		}
		switch parameter {
		case "weight":
			layers[i].weight = t
		case "bias":
			layers[i].bias = &t
		default:
			layers[i].foreign = parameter
		}
		if len(layers) > maxLayers {
			return nil, fmt.Errorf("more than %d layers", maxLayers)
		}
	}
	if !slices.ContainsFunc(layers, func(l layer) bool { return !l.isStray() }) {
		return nil, errors.New("no layer in the state dict has both a name and a weight")
	}
	return layers, nil
}

func nameParts(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '_' })
}

// commonParts counts the parts that all paths start with, up to one that names the user.
func commonParts(layers []layer) int {
	first := nameParts(layers[0].path)
	for n, part := range first {
		for _, l := range layers {
			if parts := nameParts(l.path); namesUser(part) || n >= len(parts) || parts[n] != part {
				return n
			}
		}
	}
	return len(first) - 1
}

func namesUser(name string) bool { return strings.Contains(strings.ToLower(name), "user") }

var digits = regexp.MustCompile(`[0-9]+`)

// sort puts layers whose names differ in numbers alone (fc1, fc2, fc10) by these; others stay in the dict's order.
func (t tower) sort() {
	pattern := digits.ReplaceAllString(t.layers[0].path, "#")
	for _, l := range t.layers {
		if digits.ReplaceAllString(l.path, "#") != pattern {
			return
		}
	}
	slices.SortStableFunc(t.layers, func(a, b layer) int {
		return slices.Compare(numbersIn(a.path), numbersIn(b.path))
	})
}

func numbersIn(path string) []int {
	var numbers []int
	for _, text := range digits.FindAllString(path, -1) {
		n, _ := strconv.Atoi(text)
		numbers = append(numbers, n)
	}
	return numbers
}

// userTower picks the tower whose name holds "user", else the one that takes as many numbers as the
// user's features are, and checks its shapes.
func userTower(towers []tower, features int) (tower, error) {
	if len(towers) > 2 {
		return tower{}, fmt.Errorf("%d groups of layers (%s); two towers are read, of Linear layers whose names start alike, such as user_nn.0 and item_nn.0", len(towers), names(towers))
	}
	user, err := pickUser(towers, features)
	if err != nil {
		return tower{}, err
	}
	for _, t := range towers {
		if err := t.check(); err != nil {
			return tower{}, err
		}
	}
	if in := user.layers[0].in(); in != features {
		return tower{}, fmt.Errorf("the user tower %.40q takes %d numbers, but the scalers give %d (the credit limit and the categories of city and country)", user.name, in, features)
	}
	if a, b := towers[0].out(), towers[len(towers)-1].out(); a != b {
		return tower{}, fmt.Errorf("the towers %s end in different dimensions, %d and %d", names(towers), a, b)
	}
	return user, nil
}

func pickUser(towers []tower, features int) (tower, error) {
	for _, fits := range []func(tower) bool{
		func(t tower) bool { return namesUser(t.name) },
		func(t tower) bool { return len(t.layers[0].weight.shape) == 2 && t.layers[0].in() == features },
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
	return tower{}, fmt.Errorf("which tower is the user's? None or both of %s are named so, and none or both take the %d numbers of the scalers; name one's layers user…", names(towers), features)
}

func names(towers []tower) string {
	var quoted []string
	for _, t := range towers[:min(len(towers), 5)] {
		quoted = append(quoted, fmt.Sprintf("%.40q", t.name))
	}
	return strings.Join(quoted, ", ")
}

func (t tower) out() int { return t.layers[len(t.layers)-1].out() }

// check holds the layers to what can be computed: Linear layers, each taking what the one before gives.
func (t tower) check() error {
	for i, l := range t.layers {
		if l.foreign != "" || len(l.weight.shape) != 2 {
			return fmt.Errorf("the layer %.60q is not a Linear layer (%s); towers of Linear layers with ReLU between are read", l.path, l.kind())
		}
		if l.in() < 1 || l.in() > maxWidth || l.out() < 1 || l.out() > maxWidth {
			return fmt.Errorf("the layer %.60q is %d by %d; at most %d are read", l.path, l.out(), l.in(), maxWidth)
		}
		if l.bias != nil && (len(l.bias.shape) != 1 || l.bias.shape[0] != l.out()) {
			return fmt.Errorf("the layer %.60q has a bias that does not fit its weight", l.path)
		}
		if i > 0 && l.in() != t.layers[i-1].out() {
			return fmt.Errorf("the layer %.60q takes %d numbers, but %.60q before it gives %d", l.path, l.in(), t.layers[i-1].path, t.layers[i-1].out())
		}
	}
	return nil
}

func (l layer) kind() string {
	if l.foreign != "" {
		return fmt.Sprintf("it has a parameter %.40q", l.foreign)
	}
	return fmt.Sprintf("its weight has %d dimensions", len(l.weight.shape))
}
