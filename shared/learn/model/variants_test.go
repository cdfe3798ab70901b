package model

import (
	"math"
	"strings"
	"testing"
)

// The expected vectors are computed here, from the definition, and not by the functions under test.
func TestExplainNamesTheWayThatTheVectorsWereMade(t *testing.T) {
	m := &Model{
		scale:  scaler{mean: 2, scale: 4},
		encode: oneHot{city: map[string]int{"oslo": 0, "lyon": 1}, country: map[string]int{"norway": 2}, columns: 3},
		first:  sparseLayer{columns: []float32{1, -2, 0.5, 1.5, -1, 0.25, 2, 1}, bias: []float32{0.1, -0.3}},
		rest:   []denseLayer{{weight: []float32{1, -0.5, 0.75, 2}, bias: []float32{0.2, -0.4}, in: 2}},
	}
	users := []Record{userOf("Oslo", "Norway", 1), userOf("Lyon", "France", 9), userOf("Oslo", "Sweden", 4), userOf("nowhere", "norway", -3)}
	features := [][4]float64{{-0.25, 1, 0, 1}, {1.75, 0, 1, 0}, {0.5, 1, 0, 0}, {-1.25, 0, 0, 1}}
	hidden := func(x [4]float64) [2]float64 {
		return [2]float64{0.1 + x[0] + 0.5*x[1] - x[2] + 2*x[3], -0.3 - 2*x[0] + 1.5*x[1] + 0.25*x[2] + x[3]}
	}
	last := func(h [2]float64) [2]float64 { return [2]float64{0.2 + h[0] - 0.5*h[1], -0.4 + 0.75*h[0] + 2*h[1]} }
	both := func(h [2]float64, f func(float64) float64) [2]float64 { return [2]float64{f(h[0]), f(h[1])} }
	unit := func(v [2]float64) [2]float64 { l := math.Hypot(v[0], v[1]); return [2]float64{v[0] / l, v[1] / l} }
	positive := func(x float64) float64 { return math.Max(0, x) }
	for want, made := range map[string]func(x [4]float64) [2]float64{
		"with Tanh between":     func(x [4]float64) [2]float64 { return unit(last(both(hidden(x), math.Tanh))) },
		"with nothing between":  func(x [4]float64) [2]float64 { return unit(last(hidden(x))) },
		"with the first 1 of":   func(x [4]float64) [2]float64 { return unit(hidden(x)) },
		"without the output's":  func(x [4]float64) [2]float64 { return last(both(hidden(x), positive)) },
		"credit limit unscaled": func(x [4]float64) [2]float64 { x[0] = x[0]*4 + 2; return unit(last(both(hidden(x), positive))) },
		"after the categories": func(x [4]float64) [2]float64 {
			return unit(last(both(hidden([4]float64{x[1], x[2], x[3], x[0]}), positive)))
		},
		"with GELU between":      func(x [4]float64) [2]float64 { return unit(last(both(hidden(x), gelu))) },
		"Tanh after the last":    func(x [4]float64) [2]float64 { return both(last(both(hidden(x), positive)), math.Tanh) },
		"with Sigmoid between":   func(x [4]float64) [2]float64 { return unit(last(both(hidden(x), logistic))) },
		"with LeakyReLU between": func(x [4]float64) [2]float64 { return unit(last(both(hidden(x), leaky))) },
		"":                       func(x [4]float64) [2]float64 { return [2]float64{x[0], -x[0]} },
	} {
		got := m.Explain(users, func(i int, vector []float32) bool {
			v := made(features[i])
			return math.Hypot(v[0]-float64(vector[0]), v[1]-float64(vector[1])) < 1e-5
		})
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("explained as %q, want %q", got, want)
		}
	}
}

// gelu integrates the normal distribution by steps.
func gelu(x float64) float64 {
	const steps = 20_000
	from, sum := -12.0, 0.0
	width := (x - from) / steps
	for i := range steps {
		z := from + (float64(i)+0.5)*width
		sum += math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * width
	}
	return x * sum
}

func logistic(x float64) float64 { return (1 + math.Tanh(x/2)) / 2 }

func leaky(x float64) float64 {
	if x < 0 {
		return x / 100
	}
	return x
}

func TestTheModelsOwnWayIsThatOfEmbed(t *testing.T) {
	m := readGood(t)
	own := variant{activation: relu, layers: 1 + len(m.rest)}
	for _, user := range []Record{userOf("nantes", "france", 21000), userOf("ΟΔΟΣ", "x", 0), userOf(" Las Vegas", "USA", 99999), userOf("", "", math.NaN())} {
		want, err := m.UserEmbedding(user)
		if err != nil {
			t.Fatal(err)
		}
		if d := largestDifference(m.embedBy(own, user), want); d > 1e-5 {
			t.Errorf("%v: off by %g", user, d)
		}
	}
}
