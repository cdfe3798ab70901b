// Package dense is the arithmetic of small dense float32 matrices for training and evaluation. It has sums of outer
// products, the solution of their normal equations, and scores of users against items.
//
// Promise: the order of all additions depends on the shapes alone. So the same input gives the same bits on any number of
// goroutines. AVX2 with FMA and AVX-512 on x86-64 and NEON on arm64 give the same bits as each other. The kernels in Go differ
// from them in the last bits.
//
// The kernels in Go run on processors without these instructions, and on all processors with the build tag purego. They cost
// 14 to 24 times the processor time of an iteration of package als (16 and 32 factors, AMD EPYC), and 25 to 35 times that of
// Scores. Everything else stays the same.
//
// Matrices are row-major. Rows are padded to a multiple of Lanes, see Pad.
package dense

// Vectorised reports whether the kernels in assembly are at work.
func Vectorised() bool { return vectorised }

// Lanes divides the length of a padded row, in numbers.
const Lanes = 16

// Pad is the dimension rounded up to a multiple of Lanes.
func Pad(dimension int) int { return (dimension + Lanes - 1) &^ (Lanes - 1) }

// AddOuter adds the outer products of n rows with themselves: m += Σ xᵀx. The rows are of the given width, a multiple
// of Lanes, one behind the other. m is width × width with stride numbers from row to row. Only the upper triangle of
// m is computed, with the whole blocks of Lanes on the diagonal.
func AddOuter(m []float32, stride int, rows []float32, width, n int) {
	if n == 0 {
		return
	}
	for i := 0; i < width; i += tileRows {
		for j := i &^ (Lanes - 1); j < width; j += Lanes {
			tile(m[i*stride+j:], stride, rows[i:], width, rows[j:], width, n, 1)
		}
	}
}

// AddWeighted adds a weighted sum of n rows: sum += Σ weights[k]·row k. The rows are as in AddOuter, and sum has
// their width.
func AddWeighted(sum, rows []float32, weights []float32, n int) {
	combine(sum, rows, len(sum), weights, 1, n, 1)
}

// Gather copies the chosen rows of from, each times its scale, one behind the other: dst[k] = scales[k]·from[chosen[k]].
// The rows are of the given width, a multiple of Lanes.
func Gather(dst, from []float32, width int, chosen []int32, scales []float32) {
	gather(dst, from, width, chosen, scales)
}

// Multiply writes dst = rows · m. Rows and dst hold rows of the given width, a multiple of Lanes, and m is width × width.
// dst and rows must not overlap.
func Multiply(dst, rows, m []float32, width int) {
	count := len(rows) / width
	turned := make([]float32, tileRows*width)
	edge := make([]float32, tileRows*width)
	for from := 0; from < count; from += tileRows {
		n := min(tileRows, count-from)
		clear(turned)
		for r := range n {
			for k, v := range rows[(from+r)*width:][:width] {
				turned[k*tileRows+r] = v
			}
		}
		clear(edge)
		for j := 0; j < width; j += Lanes {
			tile(edge[j:], width, turned, tileRows, m[j:], width, width, 1)
		}
		copy(dst[from*width:], edge[:n*width])
	}
}
