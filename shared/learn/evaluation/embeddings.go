package evaluation

import (
	"errors"
	"fmt"
	"math"

	"recsys/shared/contract/distance"
	"recsys/shared/learn/dense"
)

// Embeddings scores by comparing vectors, as the vector database does. All metrics are brought to inner products,
// which rank the items in the same order:
//
//   - cosine: vectors of length 1. One of length 0 has no direction and counts as missing. The database's index
//     leaves it out, too.
//   - l2: -|c-i|²/2 is c·i - |i|²/2, apart from a term that is the same for all items. One more dimension holds
//     -|i|²/2, against a 1. The items' mean is taken off first, which moves no distance and keeps the numbers small.
//
// A customer without a vector is recommended nothing, and an item without one is recommended to nobody.
type Embeddings struct {
	metric    distance.Metric
	dimension int         // of a row of items
	customers [][]float32 // as given
	mean      []float32   // of the items' vectors, for l2 only
	items     *dense.Scorer
	missing   []int32 // items
}

// NewEmbeddings takes one vector for each row and each column of the matrices. Nil means that there is none. The
// customers' are kept and not copied. Errors: a vector of another length than dimension, an unknown metric.
func NewEmbeddings(metric distance.Metric, dimension int, customers, items [][]float32) (*Embeddings, error) {
	if _, err := distance.Parse(string(metric)); err != nil {
		return nil, err
	}
	if dimension < 1 {
		return nil, fmt.Errorf("vectors of dimension %d", dimension)
	}
	if err := errors.Join(check("customer", customers, dimension), check("item", items, dimension)); err != nil {
		return nil, err
	}
	e := &Embeddings{metric: metric, dimension: dimension, customers: customers}
	if metric == distance.L2 {
		e.mean = meanVector(items, dimension)
		e.dimension++
	}
	rows := make([]float32, len(items)*e.dimension) // zeros for an item that is missing
	for i, vector := range items {
		row := rows[i*e.dimension : (i+1)*e.dimension]
		if !e.place(row, vector) {
			e.missing = append(e.missing, int32(i))
		} else if metric == distance.L2 {
			row[dimension] = float32(-squaredLength(row[:dimension]) / 2)
		}
	}
	e.items = dense.NewScorer(rows, e.dimension)
	return e, nil
}

func check(what string, vectors [][]float32, dimension int) error {
	for row, vector := range vectors {
		if vector != nil && len(vector) != dimension {
			return fmt.Errorf("the vector of %s %d has %d dimensions, want %d", what, row, len(vector), dimension)
		}
	}
	return nil
}

// Score fills dst with the items' scores: the cosine, the inner product, or for l2 a number that ranks as the
// distance does.
func (e *Embeddings) Score(dst []float32, customers []int32) {
	vectors := make([][]float32, len(customers))
	for i, customer := range customers {
		vectors[i] = e.customers[customer]
	}
	e.ScoreVectors(dst, vectors)
}

// ScoreVectors is Score for vectors of customers who may be unknown. Nil is a customer without a vector.
func (e *Embeddings) ScoreVectors(dst []float32, customers [][]float32) {
	block := make([]float32, len(customers)*e.dimension)
	var without []int
	for i, vector := range customers {
		row := block[i*e.dimension : (i+1)*e.dimension]
		if !e.place(row, vector) {
			without = append(without, i)
		} else if e.metric == distance.L2 {
			row[e.dimension-1] = 1
		}
	}
	e.items.Scores(dst, block)
	items := e.items.Items()
	never := float32(math.Inf(-1))
	for i := range customers {
		for _, item := range e.missing {
			dst[i*items+int(item)] = never
		}
	}
	for _, i := range without {
		row := dst[i*items : (i+1)*items]
		for item := range row {
			row[item] = never
		}
	}
}

// place writes a vector in the form in which it is compared. It returns false if there is none.
func (e *Embeddings) place(row, vector []float32) bool {
	if vector == nil {
		return false
	}
	switch e.metric {
	case distance.InnerProduct:
		copy(row, vector)
	case distance.Cosine:
		length := math.Sqrt(squaredLength(vector))
		if length == 0 {
			return false
		}
		for k, v := range vector {
			row[k] = float32(float64(v) / length)
		}
	case distance.L2:
		for k, v := range vector {
			row[k] = v - e.mean[k]
		}
	default: // a row of zeros would rank by nothing, and the gate would believe it
		panic(fmt.Sprintf("evaluation: metric %q has no form to compare vectors in", e.metric))
	}
	return true
}

func squaredLength(vector []float32) (sum float64) {
	for _, v := range vector {
		sum += float64(v) * float64(v)
	}
	return sum
}

func meanVector(vectors [][]float32, dimension int) []float32 {
	sum, n := make([]float64, dimension), 0
	for _, vector := range vectors {
		if vector != nil {
			n++
		}
		for k, v := range vector {
			sum[k] += float64(v)
		}
	}
	mean := make([]float32, dimension)
	for k := range mean {
		mean[k] = float32(sum[k] / float64(max(n, 1)))
	}
	return mean
}
