package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"recsys/shared/learn/model/pickle"
)

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
	return nil, errors.New("no state dict in it (no key that ends in .weight): " + adviceModel)
}

// chooseStateDict takes the one with a customary name. Without one, several are towers that were saved one by one.
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
			i, layers = len(layers), append(layers, layer{path: path, pattern: patternOf(path)})
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
