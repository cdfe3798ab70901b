// Package neighbours holds item-item models: for each product, the products that speak for it or against it. KNN counts
// common customers, EASE solves a regression. Both give a Table, and a customer's score for a product is the sum of the
// entries from the customer's products to it.
//
// Promise: the same matrix and options give the same bits with any number of workers. Memory is stated by each model.
package neighbours

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"recsys/shared/learn/sparse"
)

// Table holds the entries of an item-item matrix by their source product. Row s holds Items[Start[s]:Start[s+1]], in
// ascending order, with the Weights at the same places. An entry takes 8 bytes.
type Table struct {
	Start   []int64   // one more than there are products
	Items   []int32   // target products
	Weights []float32 // of any sign, finite
}

// Rows returns the number of products.
func (t *Table) Rows() int { return len(t.Start) - 1 }

// Row returns the targets of a source product and their weights. Both belong to the table and must not be changed.
func (t *Table) Row(source int) (items []int32, weights []float32) {
	from, to := t.Start[source], t.Start[source+1]
	return t.Items[from:to:to], t.Weights[from:to:to]
}

// Validate reports an entry that a reader of the table would trip over.
func (t *Table) Validate() error {
	if len(t.Start) == 0 || t.Start[0] != 0 || t.Start[len(t.Start)-1] != int64(len(t.Items)) || len(t.Items) != len(t.Weights) {
		return fmt.Errorf("a table of neighbours with %d starts, %d items and %d weights", len(t.Start), len(t.Items), len(t.Weights))
	}
	for s := range t.Rows() {
		if t.Start[s] > t.Start[s+1] || t.Start[s+1] > int64(len(t.Items)) {
			return fmt.Errorf("the neighbours of product %d end before they start", s)
		}
		items, weights := t.Row(s)
		for k, item := range items {
			if item < 0 || int(item) >= t.Rows() || k > 0 && items[k-1] >= item {
				return fmt.Errorf("neighbour %d of product %d is product %d of %d: want each once, in ascending order", k, s, item, t.Rows())
			}
			if w := float64(weights[k]); math.IsNaN(w) || math.IsInf(w, 0) {
				return fmt.Errorf("neighbour %d of product %d has the weight %v", k, s, w)
			}
		}
	}
	return nil
}

// AddScores adds a customer's score of every product to dst, which has an element a product: the sum of the weights from
// the customer's products. products are in ascending order.
func (t *Table) AddScores(dst []float32, products []int32) {
	for _, product := range products {
		items, weights := t.Row(int(product))
		for k, item := range items {
			dst[item] += weights[k]
		}
	}
}

// Scores is a model of package evaluation: the table's scores for the customers of a matrix.
type Scores struct {
	Table     *Table
	Customers *sparse.Matrix // customers by products: the products of each customer
}

// Score writes the scores of all products for each of the customers, row by row.
func (s Scores) Score(dst []float32, customers []int32) {
	clear(dst)
	width := s.Customers.Width
	for i, customer := range customers {
		products, _ := s.Customers.Row(int(customer))
		s.Table.AddScores(dst[i*width:(i+1)*width], products)
	}
}

// entry is one neighbour while the best of a target product are chosen.
type entry struct {
	item   int32
	weight float32
}

// best keeps the n entries of the largest absolute weight, in ascending order of their products. Of equal ones it keeps
// those with the lower number.
func best(entries []entry, n int) []entry {
	if len(entries) > n {
		slices.SortFunc(entries, func(a, b entry) int {
			x, y := math.Abs(float64(a.weight)), math.Abs(float64(b.weight))
			return cmp.Or(cmp.Compare(y, x), cmp.Compare(a.item, b.item))
		})
		entries = entries[:n]
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.item, b.item) })
	return entries
}

// bySource turns each target's sources into each source's targets.
func bySource(targets [][]entry) *Table {
	t := &Table{Start: make([]int64, len(targets)+1)}
	for _, sources := range targets {
		for _, e := range sources {
			t.Start[e.item+1]++
		}
	}
	for s := range targets {
		t.Start[s+1] += t.Start[s]
	}
	t.Items, t.Weights = make([]int32, t.Start[len(targets)]), make([]float32, t.Start[len(targets)])
	next := slices.Clone(t.Start)
	for target, sources := range targets {
		for _, e := range sources {
			at := next[e.item]
			next[e.item]++
			t.Items[at], t.Weights[at] = int32(target), e.weight
		}
	}
	return t
}

// Renumbered returns the table of another list of products. from has the row of each of its products in this table, and to
// the number in that list of each product of this table. -1 is none. Entries of products that it does not have are left out.
func (t *Table) Renumbered(from, to []int32) *Table {
	r := &Table{Start: make([]int64, 1, len(from)+1)}
	var row []entry
	for _, source := range from {
		row = row[:0]
		if source >= 0 {
			items, weights := t.Row(int(source))
			for k, item := range items {
				if to[item] >= 0 {
					row = append(row, entry{to[item], weights[k]})
				}
			}
		}
		slices.SortFunc(row, func(a, b entry) int { return cmp.Compare(a.item, b.item) })
		for _, e := range row {
			r.Items, r.Weights = append(r.Items, e.item), append(r.Weights, e.weight)
		}
		r.Start = append(r.Start, int64(len(r.Items)))
	}
	return r
}
