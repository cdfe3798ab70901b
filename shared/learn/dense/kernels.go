package dense

// tileRows and Lanes are the shape of the block that tile holds in registers.
const tileRows = 4

// tile adds a product of two slim matrices to a block of 4 × 16 numbers:
//
//	dst[i*dstStride+j] += alpha · Σ_k a[k*aStride+i]·b[k*bStride+j]
//
// for i < 4, j < 16 and k < n, the sum in ascending order of k with fused multiply-adds.
func tile(dst []float32, dstStride int, a []float32, aStride int, b []float32, bStride, n int, alpha float32) {
	if n <= 0 {
		return
	}
	_ = dst[(tileRows-1)*dstStride+Lanes-1]
	_, _ = a[(n-1)*aStride+tileRows-1], b[(n-1)*bStride+Lanes-1]
	if vectorised {
		tileVector(&dst[0], dstStride, &a[0], aStride, &b[0], bStride, n, alpha)
		return
	}
	var sums [tileRows][Lanes]float32
	for k := range n {
		row := (*[Lanes]float32)(b[k*bStride:])
		for i, x := range a[k*aStride:][:tileRows] {
			for j := range row {
				sums[i][j] += x * row[j]
			}
		}
	}
	for i := range sums {
		for j, sum := range sums[i] {
			dst[i*dstStride+j] += alpha * sum
		}
	}
}

// The shape of the block that large computes: largeRows × largePanels·Lanes.
const (
	largeRows   = 2 * tileRows
	largePanels = 2
	largeItems  = largePanels * Lanes
)

// large writes the products of rows ≤ 8 vectors, which lie side by side, with two panels of Lanes columns each, which lie
// panelStride numbers apart:
//
//	dst[i*dstStride+p*Lanes+j] = Σ_k a[k*aStride+i]·panels[p*panelStride+k*Lanes+j]
//
// for i < rows, p < 2, j < Lanes and k < n > 0, with the bits of tile. The block of dst has 8 rows, and what is written to
// those behind rows is undefined.
func large(dst []float32, dstStride, rows int, a []float32, aStride int, panels []float32, panelStride, n int) {
	_, _, _ = dst[(largeRows-1)*dstStride+largeItems-1], a[(n-1)*aStride+largeRows-1], panels[panelStride+n*Lanes-1]
	if vectorised && widest {
		largeVector(&dst[0], dstStride, &a[0], aStride, &panels[0], panelStride, n)
		return
	}
	for i := 0; i < rows; i += tileRows {
		for p := range largePanels {
			block := dst[i*dstStride+p*Lanes:]
			for r := range tileRows {
				clear(block[r*dstStride:][:Lanes])
			}
			tile(block, dstStride, a[i:], aStride, panels[p*panelStride:], Lanes, n, 1)
		}
	}
}

// rowItems is how many numbers row computes.
const rowItems = 4 * Lanes

// row writes the products of a vector with four panels of Lanes columns each, which lie stride numbers apart:
//
//	dst[p*Lanes+j] = Σ_k x[k]·panels[p*stride+k*Lanes+j]
//
// for p < 4 and j < Lanes, the sum in ascending order of k with fused multiply-adds, as in tile.
func row(dst, x, panels []float32, stride int) {
	if len(x) == 0 {
		clear(dst[:rowItems])
		return
	}
	_, _ = dst[rowItems-1], panels[3*stride+len(x)*Lanes-1]
	if vectorised {
		rowVector(&dst[0], &x[0], &panels[0], stride, len(x))
		return
	}
	for p := range rowItems / Lanes {
		var sums [Lanes]float32
		for k, v := range x {
			for j, w := range (*[Lanes]float32)(panels[p*stride+k*Lanes:]) {
				sums[j] += v * w
			}
		}
		copy(dst[p*Lanes:], sums[:])
	}
}

// combine adds a weighted sum of n rows to dst, whose length is a multiple of Lanes:
//
//	dst[j] += alpha · Σ_k weights[k*weightStride]·rows[k*stride+j]
//
// The even k and the odd k are summed apart, each in ascending order with fused multiply-adds.
func combine(dst, rows []float32, stride int, weights []float32, weightStride, n int, alpha float32) {
	if n <= 0 || len(dst) == 0 {
		return
	}
	_, _ = rows[(n-1)*stride+len(dst)-1], weights[(n-1)*weightStride]
	if vectorised {
		combineVector(&dst[0], len(dst), &rows[0], stride, &weights[0], weightStride, n, alpha)
		return
	}
	for j := 0; j < len(dst); j += Lanes {
		var sums [2][Lanes]float32
		for k := range n {
			w, row := weights[k*weightStride], (*[Lanes]float32)(rows[k*stride+j:])
			for l := range row {
				sums[k%2][l] += w * row[l]
			}
		}
		for l := range Lanes {
			dst[j+l] += alpha * (sums[0][l] + sums[1][l])
		}
	}
}

func gather(dst, from []float32, width int, chosen []int32, scales []float32) {
	if len(chosen) == 0 {
		return
	}
	_, _ = dst[len(chosen)*width-1], scales[len(chosen)-1]
	for _, row := range chosen {
		_ = from[int(row)*width : (int(row)+1)*width]
	}
	if vectorised {
		gatherVector(&dst[0], &from[0], width, &chosen[0], &scales[0], len(chosen))
		return
	}
	for k, row := range chosen {
		into, scale := dst[k*width:(k+1)*width], scales[k]
		for j, x := range from[int(row)*width:][:width] {
			into[j] = scale * x
		}
	}
}
