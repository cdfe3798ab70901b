package model

import (
	"fmt"
	"slices"
	"strings"
)

// layer is a Linear layer as a state dict holds it, its values not read yet.
type layer struct {
	path    string  // such as "user_nn.0"
	pattern string  // the path without its numbers
	weight  tensor  // out by in
	bias    *tensor // nil: Linear(bias=False)
	foreign string  // a parameter that no Linear layer has, such as "running_mean"
}

// isStray tells parameters that are part of no Linear layer.
func (l layer) isStray() bool { return l.weight.shape == nil }

// counts tells layers that change the embedding, also those that cannot be read, from a lone parameter.
func (l layer) counts() bool {
	return !l.isStray() || l.bias != nil || slices.ContainsFunc(foreignParameters, l.isForeign)
}

func (l layer) isForeign(p foreignParameter) bool { return strings.Contains(l.foreign, p.part) }

func (l layer) in() int  { return l.weight.shape[1] }
func (l layer) out() int { return l.weight.shape[0] }

// allLinear reports the first layer of the tower that is not Linear, and its likely kind.
func (t tower) allLinear() error {
	for _, l := range t.layers {
		if kind := l.foreignKind(); kind != "" {
			return fmt.Errorf("the layer %.60q is not a Linear layer: %s. Towers of Linear layers with ReLU between are read", l.path, kind)
		}
		if l.in() < 1 || l.in() > maxWidth || l.out() < 1 || l.out() > maxWidth {
			return fmt.Errorf("the layer %.60q is %d by %d, but at most %d are read", l.path, l.out(), l.in(), maxWidth)
		}
		if l.bias != nil && (len(l.bias.shape) != 1 || l.bias.shape[0] != l.out()) {
			return fmt.Errorf("the layer %.60q has a bias that does not fit its weight", l.path)
		}
	}
	return nil
}

// inSequence reports the first layer that does not take the output of the one before.
func (t tower) inSequence() error {
	for i := 1; i < len(t.layers); i++ {
		if l, before := t.layers[i], t.layers[i-1]; l.in() != before.out() {
			return fmt.Errorf("the layer %.60q takes %d numbers, but %.60q before it gives %d: layers that follow one another are read, without residual connections or branches",
				l.path, l.in(), before.path, before.out())
		}
	}
	return nil
}

// foreignParameter is a parameter that no Linear layer has, by a part of its name, and the kind of layer that has it.
type foreignParameter struct{ part, kind string }

var foreignParameters = []foreignParameter{
	{"running_", "a BatchNorm"},
	{"num_batches_tracked", "a BatchNorm"},
	{"weight_g", "a Linear with weight_norm, which torch.nn.utils.remove_weight_norm takes off"},
	{"weight_v", "a Linear with weight_norm, which torch.nn.utils.remove_weight_norm takes off"},
	{"weight_orig", "a Linear with spectral_norm, which torch.nn.utils.remove_spectral_norm takes off"},
	{"original", "a parametrization such as weight_norm, which torch.nn.utils.parametrize.remove_parametrizations takes off"},
	{"in_proj", "an attention"},
	{"_l0", "a recurrent layer"},
	{"lora_", "an adapter, to be merged into its Linear layer"},
}

// foreignKind returns the likely kind of the layer, or "" if it is a Linear layer.
func (l layer) foreignKind() string {
	if l.foreign != "" {
		if i := slices.IndexFunc(foreignParameters, l.isForeign); i >= 0 {
			return fmt.Sprintf("it has a parameter %.40q and looks like %s", l.foreign, foreignParameters[i].kind)
		}
		return fmt.Sprintf("it has a parameter %.40q", l.foreign)
	}
	switch dimensions := len(l.weight.shape); {
	case l.isStray():
		return "it has no weight, as after weight_norm or another parametrization"
	case dimensions == 1 && l.bias == nil:
		return "its weight is one row without a bias, as in a PReLU or an RMSNorm"
	case dimensions == 1:
		return "its weight is one row, as in a LayerNorm"
	case dimensions == 2 && l.bias == nil && strings.Contains(strings.ToLower(l.path), "emb"):
		return "it looks like an nn.Embedding, a table with a row for each id. Feed city and country one-hot into a Linear layer instead"
	case dimensions != 2:
		return fmt.Sprintf("its weight has %d dimensions", dimensions)
	}
	return ""
}
