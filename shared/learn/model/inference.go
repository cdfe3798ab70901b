package model

import "math"

// sparseLayer is the first Linear layer, its weight column by column. Only one column of a one-hot group counts, so
// the product is a sum of three columns.
type sparseLayer struct {
	columns []float32 // in × out
	bias    []float32 // out
}

// denseLayer is a further Linear layer.
type denseLayer struct {
	weight []float32 // out × in, row by row, as PyTorch has it
	bias   []float32 // out
	in     int
}

// buffers hold the numbers between two layers: one is read while the other is written.
type buffers struct{ a, b []float32 }

func (m *Model) newBuffers() *buffers {
	widest := len(m.first.bias)
	for _, l := range m.rest {
		widest = max(widest, len(l.bias))
	}
	return &buffers{make([]float32, widest), make([]float32, widest)}
}

func (c *checkpoint) dense(l layer) (denseLayer, error) {
	weight, err := c.floats(l.weight)
	if err != nil {
		return denseLayer{}, err
	}
	d := denseLayer{weight: weight, bias: make([]float32, l.out()), in: l.in()}
	if l.bias != nil {
		d.bias, err = c.floats(*l.bias)
	}
	return d, err
}

func (d denseLayer) byColumn() sparseLayer {
	out := len(d.bias)
	columns := make([]float32, len(d.weight))
	for i, w := range d.weight {
		columns[(i%d.in)*out+i/d.in] = w
	}
	return sparseLayer{columns, d.bias}
}

// embed computes one user's embedding into dst. It returns false if there is no direction, and dst is zeros.
func (m *Model) embed(dst []float32, user Record, b *buffers) bool {
	from, to := b.a, b.b
	from = from[:len(m.first.bias)]
	m.features(from, user)
	for _, l := range m.rest {
		to = to[:len(l.bias)]
		rectify(from)
		l.apply(to, from)
		from, to = to, from[:cap(from)]
	}
	copy(dst, from)
	return normalise(dst)
}

// features applies the first layer to the scaled credit limit and the columns of city and country.
func (m *Model) features(out []float32, user Record) {
	copy(out, m.first.bias)
	if limit := user.Numbers[0]; isFinite(limit) {
		scaled := float32((limit - m.scale.mean) / m.scale.scale)
		for i, w := range m.first.column(0) {
			out[i] += scaled * w
		}
	}
	m.addCategory(out, m.encode.city, user.Texts[0])
	m.addCategory(out, m.encode.country, user.Texts[1])
}

func (m *Model) addCategory(out []float32, columns map[string]int, text string) {
	var buf [64]byte
	column, known := columns[string(appendNormal(buf[:0], text))]
	if !known {
		return
	}
	for i, w := range m.first.column(1 + column) {
		out[i] += w
	}
}

func (l sparseLayer) column(i int) []float32 {
	out := len(l.bias)
	return l.columns[i*out : (i+1)*out]
}

func rectify(x []float32) {
	for i, v := range x {
		x[i] = max(v, 0)
	}
}

// apply computes out = weight × in + bias, four rows at a time: four sums that do not wait for each other.
func (l denseLayer) apply(out, in []float32) {
	row, n := 0, l.in
	in = in[:n]
	for ; row+4 <= len(out); row += 4 {
		w := l.weight[row*n : (row+4)*n]
		w0, w1, w2, w3 := w[:n], w[n:2*n], w[2*n:3*n], w[3*n:4*n]
		var s0, s1, s2, s3 float32
		for i, x := range in {
			s0 += x * w0[i]
			s1 += x * w1[i]
			s2 += x * w2[i]
			s3 += x * w3[i]
		}
		out[row], out[row+1] = s0+l.bias[row], s1+l.bias[row+1]
		out[row+2], out[row+3] = s2+l.bias[row+2], s3+l.bias[row+3]
	}
	for ; row < len(out); row++ {
		sum := l.bias[row]
		for i, w := range l.weight[row*n : (row+1)*n] {
			sum += in[i] * w
		}
		out[row] = sum
	}
}

// smallestNorm is eps of torch.nn.functional.normalize, under which PyTorch no longer gives a unit vector.
const smallestNorm = 1e-12

func normalise(x []float32) bool {
	var squares float64
	for _, v := range x {
		squares += float64(v) * float64(v)
	}
	norm := math.Sqrt(squares)
	if !(norm >= smallestNorm) || math.IsInf(norm, 1) {
		clear(x)
		return false
	}
	for i, v := range x {
		x[i] = float32(float64(v) / norm)
	}
	return true
}
