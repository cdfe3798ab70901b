// Package sparse holds a snapshot's ratings as a sparse matrix, customers by items, and the rule that holds some of
// them out. Training and evaluation work on it.
//
// Promise: the same snapshot gives the same matrix, in ascending order of customers and items, in about six bytes
// a rating.
package sparse

// The bounds of a rating, in hundredths of a star. A pair's confidence is a sum of ratings and other interactions, which
// may have lost weight with age.
const (
	Star             = 100
	LowestRating     = 50
	HighestRating    = 5 * Star
	LowestConfidence = 1
)

// Matrix is a sparse matrix of ratings or confidences in compressed rows. Row r's entries are Columns[Start[r]:Start[r+1]], in
// ascending order. Their ratings have the same places in Ratings.
type Matrix struct {
	Width   int      // number of columns
	Start   []int64  // one more than there are rows
	Columns []int32  // 0 to Width-1
	Ratings []uint16 // in hundredths of a star, LowestConfidence to HighestRating
}

// Rows is the number of rows.
func (m *Matrix) Rows() int { return len(m.Start) - 1 }

// Row is the columns and the ratings of one row. Both are the matrix's own: not to be changed.
func (m *Matrix) Row(r int) (columns []int32, ratings []uint16) {
	from, to := m.Start[r], m.Start[r+1]
	return m.Columns[from:to:to], m.Ratings[from:to:to]
}

// Transpose turns customers by items into items by customers.
func (m *Matrix) Transpose() *Matrix {
	t := &Matrix{
		Width: m.Rows(), Start: make([]int64, m.Width+1),
		Columns: make([]int32, len(m.Columns)), Ratings: make([]uint16, len(m.Ratings)),
	}
	for _, column := range m.Columns {
		t.Start[column+1]++
	}
	for c := range m.Width {
		t.Start[c+1] += t.Start[c]
	}
	next := append([]int64(nil), t.Start...)
	for r := range m.Rows() {
		columns, ratings := m.Row(r)
		for k, column := range columns {
			at := next[column]
			next[column]++
			t.Columns[at], t.Ratings[at] = int32(r), ratings[k]
		}
	}
	return t
}

// Reordered returns the matrix with its rows in another order: row i is the row order[i].
func (m *Matrix) Reordered(order []int32) *Matrix {
	n := len(m.Columns)
	sorted := &Matrix{Width: m.Width, Start: make([]int64, 1, len(m.Start)), Columns: make([]int32, 0, n), Ratings: make([]uint16, 0, n)}
	for _, row := range order {
		columns, ratings := m.Row(int(row))
		sorted.Columns, sorted.Ratings = append(sorted.Columns, columns...), append(sorted.Ratings, ratings...)
		sorted.Start = append(sorted.Start, int64(len(sorted.Columns)))
	}
	return sorted
}

// Split parts the entries in two matrices of the same shape by a rule of row and column.
func (m *Matrix) Split(held func(row, column int) bool) (rest, heldOut *Matrix) {
	rest, heldOut = m.empty(), m.empty()
	for r := range m.Rows() {
		columns, ratings := m.Row(r)
		for k, column := range columns {
			into := rest
			if held(r, int(column)) {
				into = heldOut
			}
			into.Columns, into.Ratings = append(into.Columns, column), append(into.Ratings, ratings[k])
		}
		rest.Start = append(rest.Start, int64(len(rest.Columns)))
		heldOut.Start = append(heldOut.Start, int64(len(heldOut.Columns)))
	}
	return rest, heldOut
}

// Thin keeps the entries of some rows, in a matrix of the same shape.
func (m *Matrix) Thin(keep func(row int) bool) *Matrix {
	kept := m.empty()
	for r := range m.Rows() {
		if keep(r) {
			columns, ratings := m.Row(r)
			kept.Columns, kept.Ratings = append(kept.Columns, columns...), append(kept.Ratings, ratings...)
		}
		kept.Start = append(kept.Start, int64(len(kept.Columns)))
	}
	return kept
}

func (m *Matrix) empty() *Matrix {
	return &Matrix{Width: m.Width, Start: make([]int64, 1, len(m.Start))}
}
