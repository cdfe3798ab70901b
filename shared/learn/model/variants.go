package model

import (
	"fmt"
	"math"
)

// A state dict holds weights. It does not say how they are put together or what the features mean. A variant is
// another way to compute an embedding from the same weights, which explains why a model does not give the vectors
// handed over with it.
type variant struct {
	name       string                    // completes "the vectors agree …"
	activation func(float64) float64     // between the layers
	layers     int                       // of the tower, from the first on
	inputs     func([]float64) []float64 // changes the features, nil: as they are
	output     func([]float64)           // changes the last layer's numbers, nil: scales them to length 1
}

// Explain returns how embeddings would have to be computed for at least nine in ten users to agree, such as "with Tanh
// between the layers". It returns "" if no known way does, and for linear models.
func (m *Model) Explain(users []Record, agrees func(user int, embedding []float32) bool) string {
	if m.linear != nil {
		return ""
	}
	for _, v := range m.variants() {
		agreeing := 0
		for i := range users {
			if agrees(i, m.embedBy(v, users[i])) {
				agreeing++
			}
		}
		if agreeing*10 >= len(users)*9 {
			return v.name
		}
	}
	return ""
}

func (m *Model) variants() []variant {
	all := 1 + len(m.rest)
	variants := []variant{
		{name: "without the output's scaling to length 1", activation: relu, layers: all, output: func([]float64) {}},
		{name: "with a ReLU after the last layer", activation: relu, layers: all, output: each(relu)},
		{name: "with Tanh after the last layer", activation: relu, layers: all, output: each(math.Tanh)},
		{name: "with the credit limit unscaled", activation: relu, layers: all, inputs: func(x []float64) []float64 {
			x[0] = x[0]*m.scale.scale + m.scale.mean
			return x
		}},
		{name: "with the credit limit after the categories", activation: relu, layers: all, inputs: func(x []float64) []float64 {
			return append(x[1:], x[0])
		}},
	}
	for _, layers := range m.shorterTowers() {
		variants = append(variants, variant{name: fmt.Sprintf("with the first %d of the %d layers alone (the others may belong to another tower, to be named item…)", layers, all),
			activation: relu, layers: layers})
	}
	if all > 1 {
		for _, a := range activations {
			variants = append(variants, variant{name: fmt.Sprintf("with %s between the layers", a.name), activation: a.of, layers: all})
		}
	}
	return variants
}

// shorterTowers returns after how many layers, fewer than all, the tower could end with the same dimension.
func (m *Model) shorterTowers() (layers []int) {
	widths := []int{len(m.first.bias)}
	for _, l := range m.rest {
		widths = append(widths, len(l.bias))
	}
	for i, width := range widths[:len(widths)-1] {
		if width == m.Dimension() {
			layers = append(layers, i+1)
		}
	}
	return layers
}

var activations = []struct {
	name string
	of   func(float64) float64
}{
	{"Tanh", math.Tanh},
	{"GELU", func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }},
	{"LeakyReLU", func(x float64) float64 { return max(x, 0.01*x) }},
	{"ELU", func(x float64) float64 { return max(x, 0) + math.Expm1(min(x, 0)) }},
	{"SiLU", func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
	{"Sigmoid", func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	{"nothing", func(x float64) float64 { return x }},
}

func relu(x float64) float64 { return max(x, 0) }

func each(f func(float64) float64) func([]float64) {
	return func(x []float64) {
		for i, v := range x {
			x[i] = f(v)
		}
	}
}

// embedBy computes one embedding plainly, as a variant has it.
func (m *Model) embedBy(v variant, user Record) []float32 {
	x := m.plainFeatures(user)
	if v.inputs != nil {
		x = v.inputs(x)
	}
	x = m.first.times(x)
	for _, l := range m.rest[:v.layers-1] {
		each(v.activation)(x)
		x = l.times(x)
	}
	if v.output != nil {
		v.output(x)
	}
	embedding := make([]float32, len(x))
	for i, value := range x {
		embedding[i] = float32(value)
	}
	if v.output == nil {
		normalise(embedding)
	}
	return embedding
}

// plainFeatures returns the user's features, zeros included.
func (m *Model) plainFeatures(user Record) []float64 {
	x := make([]float64, 1+m.encode.columns)
	if isFinite(user.Numbers[0]) {
		x[0] = (user.Numbers[0] - m.scale.mean) / m.scale.scale
	}
	for _, category := range []struct {
		columns map[string]int
		text    string
	}{{m.encode.city, user.Texts[0]}, {m.encode.country, user.Texts[1]}} {
		if column, known := category.columns[normal(category.text)]; known {
			x[1+column] = 1
		}
	}
	return x
}

func (l sparseLayer) times(x []float64) []float64 {
	out := widened(l.bias)
	for k, value := range x {
		if value == 0 {
			continue
		}
		for i, w := range l.column(k) {
			out[i] += value * float64(w)
		}
	}
	return out
}

func (l denseLayer) times(x []float64) []float64 {
	out := widened(l.bias)
	for i := range out {
		for k, w := range l.weight[i*l.in : (i+1)*l.in] {
			out[i] += x[k] * float64(w)
		}
	}
	return out
}

func widened(numbers []float32) []float64 {
	wide := make([]float64, len(numbers))
	for i, x := range numbers {
		wide[i] = float64(x)
	}
	return wide
}
