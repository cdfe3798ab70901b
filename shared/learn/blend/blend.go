// Package blend ranks products for a customer by two models at once. Vectors know tastes, and neighbours know what goes
// together. One Scorer measures a version in evaluate and answers from it, so a version is served as it was
// measured. The package also reads and writes the files of a version that it ranks with.
//
// The score of a product is
//
//	(1-β)·v/A + β·n/B
//
// v is the score of the vectors, and n the sum of the neighbours' weights from the customer's products. A and B bring the two
// to one scale. Each is the mean of the customer's Best highest scores over 0. It is taken over the whole catalogue, before any
// product is left out. If no score is over 0, the term drops and the other counts whole. With β = 1 the neighbours rank alone. A version
// without neighbours has the score v.
//
// Promise: the same model, vector and history give the same bits, alone or in a batch. Memory is the vectors once more, and a
// row of scores for each customer of a batch.
package blend

import (
	"fmt"
	"math"

	"recsys/shared/contract/distance"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
)

const (
	// Best is the number of a customer's highest scores that set the scale of a term.
	Best = 50
	// MostHistory is the number of a customer's products that count for the neighbours.
	MostHistory = 1000
)

// Model is the part of a version that ranks.
type Model struct {
	Metric    distance.Metric
	Dimension int
	Items     []string
	// Vectors has Dimension numbers an item. A row of zeros is an item without a vector: nobody is recommended it.
	Vectors []float32
	// Neighbours has a row for each of Items. Nil: the vectors rank alone.
	Neighbours *neighbours.Table
	// Beta is the share of the neighbours in the score, 0 to 1.
	Beta float64
}

// Scorer ranks with a Model. It never changes, and any number of goroutines may use one.
type Scorer struct {
	vectors    *evaluation.Embeddings
	neighbours *neighbours.Table
	beta       float64
	items      int
	missing    []int32 // items without a vector
}

// NewScorer arranges a model for scoring. Errors: a model whose parts do not fit, and neighbours next to vectors of another
// metric than the inner product, because other scores have no zero.
func NewScorer(m Model) (*Scorer, error) {
	if m.Dimension < 1 || len(m.Vectors) != len(m.Items)*m.Dimension {
		return nil, fmt.Errorf("a model of %d items with %d numbers of dimension %d", len(m.Items), len(m.Vectors), m.Dimension)
	}
	if !(m.Beta >= 0 && m.Beta <= 1) {
		return nil, fmt.Errorf("a model with β %v: want 0 to 1", m.Beta)
	}
	if m.Neighbours != nil && (m.Neighbours.Rows() != len(m.Items) || m.Metric != distance.InnerProduct) {
		return nil, fmt.Errorf("a model of %d items by %s with the neighbours of %d: want as many, and %s",
			len(m.Items), m.Metric, m.Neighbours.Rows(), distance.InnerProduct)
	}
	s, rows := &Scorer{items: len(m.Items)}, make([][]float32, len(m.Items))
	for i := range rows {
		if row := m.Vectors[i*m.Dimension : (i+1)*m.Dimension]; isZero(row) {
			s.missing = append(s.missing, int32(i))
		} else {
			rows[i] = row
		}
	}
	var err error
	if s.vectors, err = evaluation.NewEmbeddings(m.Metric, m.Dimension, nil, rows); err != nil {
		return nil, err
	}
	if m.Neighbours != nil && m.Beta > 0 {
		s.neighbours, s.beta = m.Neighbours, m.Beta
	}
	return s, nil
}

func isZero(vector []float32) bool {
	for _, number := range vector {
		if number != 0 {
			return false
		}
	}
	return true
}

// Items returns the number of items.
func (s *Scorer) Items() int { return s.items }

// Blends reports whether neighbours count.
func (s *Scorer) Blends() bool { return s.neighbours != nil }

// Score writes the scores of all items for each customer, row by row: dst has Items numbers a customer. A customer has a
// vector, nil if there is none, and a history: the numbers of their products, in ascending order, each once. Of a longer
// history the first MostHistory count. -Inf means that the item cannot be recommended to the customer.
func (s *Scorer) Score(dst []float32, vectors [][]float32, histories [][]int32) {
	s.vectors.ScoreVectors(dst, vectors)
	if s.neighbours == nil {
		return
	}
	sums := make([]float32, s.items)
	for i, history := range histories {
		s.blend(dst[i*s.items:(i+1)*s.items], sums, vectors[i] != nil, history)
	}
}

// ScoreVectors is Score by the vectors alone.
func (s *Scorer) ScoreVectors(dst []float32, vectors [][]float32) {
	s.vectors.ScoreVectors(dst, vectors)
}

// ScoreOne is Score for one customer.
func (s *Scorer) ScoreOne(dst, vector []float32, history []int32) {
	s.Score(dst, [][]float32{vector}, [][]int32{history})
}

// blend turns a row of the vectors' scores into the blend. sums is memory of the caller.
func (s *Scorer) blend(row, sums []float32, hasVector bool, history []int32) {
	scale := s.sum(row, sums, hasVector, history)
	ofVectors, ofNeighbours := Factors(s.beta, Scale(row), scale)
	for item, v := range row {
		row[item] = Blended(v, sums[item], ofVectors, ofNeighbours)
	}
}

// sum writes the neighbours' scores to sums and returns their scale. A row of a customer without a vector becomes zeros if
// there is any neighbour.
func (s *Scorer) sum(row, sums []float32, hasVector bool, history []int32) (scale float64) {
	clear(sums)
	s.neighbours.AddScores(sums, Counted(history))
	scale = Scale(sums)
	if !hasVector && scale > 0 {
		clear(row)
		for _, item := range s.missing {
			row[item] = never
		}
	}
	return scale
}

var never = float32(math.Inf(-1))

// Factors returns what the scores of the vectors and of the neighbours are multiplied by, from the Scale of each. A term
// whose scale is 0 drops, and the other counts whole. If both are 0, the vectors' scores stay as they are.
func Factors(beta, ofVectors, ofNeighbours float64) (vectors, neighbours float64) {
	switch {
	case ofVectors == 0 && ofNeighbours == 0:
		return 1, 0
	case ofVectors == 0:
		return 0, 1 / ofNeighbours
	case ofNeighbours == 0:
		return 1 / ofVectors, 0
	}
	return (1 - beta) / ofVectors, beta / ofNeighbours
}

// Blended returns the score of one item: v and n times their factors, and -Inf if it cannot be recommended.
func Blended(v, n float32, ofVectors, ofNeighbours float64) float32 {
	if v == never {
		return never
	}
	// Rounded before the addition, so that no processor fuses the two into another result.
	return float32(float64(ofVectors*float64(v)) + float64(ofNeighbours*float64(n)))
}

// Counted returns the part of a history that counts.
func Counted(history []int32) []int32 { return history[:min(len(history), MostHistory)] }

// Scale returns the mean of the Best highest scores over 0, of fewer if there are fewer. It is 0 if there are none.
func Scale(scores []float32) float64 {
	var best [Best]float32 // descending
	n := 0
	for _, score := range scores {
		if !(score > 0) || n == Best && score <= best[Best-1] {
			continue
		}
		place := min(n, Best-1)
		for ; place > 0 && best[place-1] < score; place-- {
			best[place] = best[place-1]
		}
		best[place] = score
		n = min(n+1, Best)
	}
	sum := 0.0
	for _, score := range best[:n] {
		sum += float64(score)
	}
	return sum / float64(max(n, 1))
}

// Customers is a model of package evaluation: the scores of customers who are rows of a matrix.
type Customers struct {
	*Scorer
	Vectors [][]float32    // by customer, nil for one without
	History *sparse.Matrix // customers by items: the products of each customer
}

// Score writes the scores of all items for each of the customers, row by row.
func (c Customers) Score(dst []float32, customers []int32) {
	vectors, histories := make([][]float32, len(customers)), make([][]int32, len(customers))
	for i, customer := range customers {
		vectors[i] = c.Vectors[customer]
		histories[i], _ = c.History.Row(int(customer))
	}
	c.Scorer.Score(dst, vectors, histories)
}
