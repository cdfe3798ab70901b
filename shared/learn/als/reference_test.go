package als

import (
	"math"

	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/sparse"
)

// reference is the method once more, in float64 and as plainly as it can be written.
type reference struct {
	o          Options
	data       Data
	transposed *sparse.Matrix
	users      [][]float64
	items      [][]float64
	userPrior  [][]float64 // a map's rows, the bias first. Nil: zero
	itemPrior  [][]float64
}

func newReference(data Data, o Options) (*reference, error) {
	t, err := newTraining(data, o) // only for the same start
	if err != nil {
		return nil, err
	}
	r := &reference{o: o, data: data, transposed: data.Ratings.Transpose(), users: make([][]float64, data.Ratings.Rows())}
	for row := range data.Ratings.Width {
		v := make([]float64, o.Factors)
		for k := range v {
			v[k] = float64(t.items.vectors[row*t.width+k])
		}
		r.items = append(r.items, v)
	}
	return r, nil
}

func (r *reference) iterate() {
	r.users = r.solve(r.data.Ratings, r.items, r.data.Users, r.userPrior)
	r.userPrior = r.regress(r.data.Ratings, r.users, r.data.Users)
	r.items = r.solve(r.transposed, r.users, r.data.Items, r.itemPrior)
	r.itemPrior = r.regress(r.transposed, r.items, r.data.Items)
}

func (r *reference) penalty(m *sparse.Matrix, row int) float64 {
	n := float64(m.Start[row+1] - m.Start[row])
	if n == 0 {
		return 0
	}
	return r.o.Regularization * math.Pow(n, r.o.FrequencyExponent)
}

func (r *reference) solve(m *sparse.Matrix, others [][]float64, features *coldstart.Features, prior [][]float64) [][]float64 {
	d := r.o.Factors
	gram := square(d)
	for _, v := range others {
		addOuter(gram, v, r.o.UnobservedWeight)
	}
	solved := make([][]float64, m.Rows())
	for row := range solved {
		columns, ratings := m.Row(row)
		b := make([]float64, d)
		if solved[row] = b; len(columns) == 0 {
			continue
		}
		a := square(d)
		for i := range a {
			copy(a[i], gram[i])
			a[i][i] += r.penalty(m, row)
		}
		for k, v := range applied(prior, features, row) {
			b[k] += r.penalty(m, row) * v
		}
		for k, column := range columns {
			weight := r.o.RatingWeights[ratings[k]/100-1]
			addOuter(a, others[column], weight)
			for i, v := range others[column] {
				b[i] += weight * v
			}
		}
		solveInPlace(a, [][]float64{b})
	}
	return solved
}

func (r *reference) ridge(m *sparse.Matrix) float64 {
	sum, n := 0.0, 0.0
	for row := range m.Rows() {
		if p := r.penalty(m, row); p > 0 {
			sum, n = sum+p, n+1
		}
	}
	return r.o.FeatureRidge * sum / n
}

func (r *reference) regress(m *sparse.Matrix, vectors [][]float64, f *coldstart.Features) [][]float64 {
	if f == nil {
		return nil
	}
	a := square(1 + f.Width)
	targets := make([][]float64, r.o.Factors) // for each dimension
	for k := range targets {
		targets[k] = make([]float64, 1+f.Width)
	}
	for i := 1; i <= f.Width; i++ {
		a[i][i] = r.ridge(m)
	}
	for row, v := range vectors {
		x := make([]float64, 1+f.Width)
		x[0] = 1
		columns, values := f.Row(row)
		for i, column := range columns {
			x[1+column] = float64(values[i])
		}
		addOuter(a, x, r.penalty(m, row))
		for k := range targets {
			for i := range x {
				targets[k][i] += r.penalty(m, row) * x[i] * v[k]
			}
		}
	}
	solveInPlace(a, targets)
	weights := make([][]float64, 1+f.Width)
	for i := range weights {
		for k := range targets {
			weights[i] = append(weights[i], targets[k][i])
		}
	}
	return weights
}

// applied is a row's prior, nil for zero.
func applied(prior [][]float64, f *coldstart.Features, row int) []float64 {
	if prior == nil {
		return nil
	}
	mean := append([]float64(nil), prior[0]...)
	columns, values := f.Row(row)
	for i, column := range columns {
		for k, w := range prior[1+column] {
			mean[k] += float64(values[i]) * w
		}
	}
	return mean
}

// loss is the objective, pair by pair.
func (r *reference) loss() (sum float64) {
	for u := range r.users {
		columns, ratings := r.data.Ratings.Row(u)
		at := 0
		for i := range r.items {
			y := 0.0
			for k, v := range r.users[u] {
				y += v * r.items[i][k]
			}
			sum += r.o.UnobservedWeight * y * y
			if at < len(columns) && int(columns[at]) == i {
				sum += r.o.RatingWeights[ratings[at]/100-1] * (1 - y) * (1 - y)
				at++
			}
		}
	}
	return sum + r.sidePenalty(r.data.Ratings, r.users, r.data.Users, r.userPrior) +
		r.sidePenalty(r.transposed, r.items, r.data.Items, r.itemPrior)
}

func (r *reference) sidePenalty(m *sparse.Matrix, vectors [][]float64, f *coldstart.Features, prior [][]float64) (sum float64) {
	for row, v := range vectors {
		mean := applied(prior, f, row)
		for k := range v {
			difference := v[k]
			if mean != nil {
				difference -= mean[k]
			}
			sum += r.penalty(m, row) * difference * difference
		}
	}
	for i := 1; i < len(prior); i++ {
		for _, w := range prior[i] {
			sum += r.ridge(m) * w * w
		}
	}
	return sum
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func addOuter(m [][]float64, x []float64, weight float64) {
	for i, v := range x {
		scaled, row := weight*v, m[i]
		for j, w := range x {
			row[j] += scaled * w
		}
	}
}

// solveInPlace is Gauss' elimination for several right-hand sides. a is symmetric and positive definite.
func solveInPlace(a [][]float64, rights [][]float64) {
	for i := range a {
		for j := i + 1; j < len(a); j++ {
			factor := a[j][i] / a[i][i]
			for k := i; k < len(a); k++ {
				a[j][k] -= factor * a[i][k]
			}
			for _, b := range rights {
				b[j] -= factor * b[i]
			}
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		for _, b := range rights {
			for k := i + 1; k < len(a); k++ {
				b[i] -= a[i][k] * b[k]
			}
			b[i] /= a[i][i]
		}
	}
}
