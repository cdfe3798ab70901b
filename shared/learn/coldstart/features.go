// Package coldstart finds vectors for customers and items without ratings. It learns a linear map from their features
// to the vectors that training gave to the others.
//
// Promise: the map is the one and only minimum of a ridge regression, computed in float64 in a fixed order, so the same
// input gives the same bits.
package coldstart

// Features are rows of few numbers other than zero, in compressed rows: row r's are Values[Start[r]:Start[r+1]], in the
// columns at the same places of Columns. A bias needs no column: every map has one.
type Features struct {
	Width   int     // number of columns
	Start   []int64 // one more than there are rows
	Columns []int32 // 0 to Width-1, no column twice in a row
	Values  []float32
}

// Rows is the number of rows.
func (f *Features) Rows() int { return len(f.Start) - 1 }

// Row is the columns and values of one row: the features' own, not to be changed.
func (f *Features) Row(r int) (columns []int32, values []float32) {
	from, to := f.Start[r], f.Start[r+1]
	return f.Columns[from:to:to], f.Values[from:to:to]
}

// Map turns features into vectors: bias + Σ value·row of its column.
type Map struct {
	Dimension int
	Weights   []float32 // (1+Width) × Dimension: the bias first, then a row for each column
}

// Apply writes the vector of one row of features to dst, Dimension numbers.
func (m *Map) Apply(dst []float32, columns []int32, values []float32) {
	d := m.Dimension
	copy(dst, m.Weights[:d])
	for i, column := range columns {
		value, weights := values[i], m.Weights[(int(column)+1)*d:][:d]
		for k, w := range weights {
			dst[k] += float32(value * w)
		}
	}
}
