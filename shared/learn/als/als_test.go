package als

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/testbed"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/dense"
	"recsys/shared/learn/sparse"
)

// The objective falls, and is that of the reference after each iteration. With -long it is so on ratings of MovieLens-1M's
// shape, too.
func TestLossIsThatOfTheReference(t *testing.T) {
	small := generate(1, 600, 370, 20_000)
	lossIsThatOfTheReference(t, "small", small, 32, 6)
	lossIsThatOfTheReference(t, "small, no features", Data{Ratings: small.Ratings}, 32, 6)
	smaller := generate(1, 330, 260, 8_000) // rows shorter and longer than the factors
	lossIsThatOfTheReference(t, "many factors", smaller, 64, 3)
	lossIsThatOfTheReference(t, "many factors, no features", Data{Ratings: smaller.Ratings}, 50, 3)
	if testbed.Long() {
		lossIsThatOfTheReference(t, "MovieLens-1M", movieLens1M(), 16, 2)
	}
}

func lossIsThatOfTheReference(t *testing.T, name string, data Data, factors, iterations int) {
	o := Default()
	o.Factors, o.Iterations, o.Seed = factors, iterations, 3
	r, err := newReference(data, o)
	if err != nil {
		t.Fatal(err)
	}
	before := math.Inf(1)
	_, err = Fit(t.Context(), data, o, nil, func(c Checkpoint) error {
		r.iterate()
		want := r.loss()
		t.Logf("%s, iteration %d: loss %.7g, reference %.7g", name, c.Iteration, c.Loss, want)
		if math.Abs(c.Loss-want) > 1e-3*want || c.Loss >= before {
			t.Errorf("%s, iteration %d: loss %g after %g, reference %g", name, c.Iteration, c.Loss, before, want)
		}
		before = c.Loss
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The scores are the reference's in every basis: those of rows with ratings, and those of features alone.
func TestScoresAreThoseOfTheReference(t *testing.T) {
	data := generate(2, 300, 200, 6_000)
	for _, factors := range []int{16, leastForBasis, 65, 128} {
		o := Default()
		o.Factors, o.Iterations = factors, 2
		r, err := newReference(data, o)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Fit(t.Context(), data, o, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.iterate()
		r.iterate()
		worst := 0.0
		compare := func(a []float32, b, c []float64, d []float32) {
			want, got := 0.0, 0.0
			for k := range b {
				want += b[k] * c[k]
				got += float64(a[k]) * float64(d[k])
			}
			worst = max(worst, math.Abs(got-want))
		}
		for i, item := range r.items {
			mine := f.Items[i*factors : (i+1)*factors]
			for u, user := range r.users {
				compare(f.Users[u*factors:(u+1)*factors], user, item, mine)
			}
			for row, weights := range r.userPrior {
				compare(f.UserMap.Weights[row*factors:(row+1)*factors], weights, item, mine)
			}
		}
		if worst > 2e-4 {
			t.Errorf("%d factors: off by %g", factors, worst)
		}
	}
}

// The vectors themselves are the reference's, in dimensions that need padding and those that need none.
func TestVectorsAreThoseOfTheReference(t *testing.T) {
	data := generate(2, 300, 200, 6_000)
	for _, factors := range []int{1, 2, 7, 16, 17, 33} {
		o := Default()
		o.Factors, o.Iterations = factors, 2
		r, err := newReference(data, o)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Fit(t.Context(), data, o, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.iterate()
		r.iterate()
		worst := 0.0
		for row, v := range r.items {
			for k, want := range v {
				worst = max(worst, math.Abs(float64(f.Items[row*factors+k])-want))
			}
		}
		for i, row := range r.userPrior {
			for k, want := range row {
				worst = max(worst, math.Abs(float64(f.UserMap.Weights[i*factors+k])-want))
			}
		}
		if worst > 2e-4 {
			t.Errorf("%d factors: off by %g", factors, worst)
		}
	}
}

// A search takes numbers that overflow for a candidate that diverged.
func TestNumbersThatOverflowAreNotPositive(t *testing.T) {
	o := Default()
	o.Factors = leastForBasis
	training, err := newTraining(generate(3, 300, 200, 6_000), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range []float64{math.NaN(), math.Inf(1)} {
		training.start()
		training.items.vectors[0] = float32(number)
		if _, err := training.iterate(t.Context()); !errors.Is(err, dense.ErrNotPositive) {
			t.Errorf("%v: error %v", number, err)
		}
	}
}

func TestWorkersChangeNoBit(t *testing.T) {
	workersChangeNoBit(t, 32)
	workersChangeNoBit(t, leastForBasis)
}

func workersChangeNoBit(t *testing.T, factors int) {
	data := generate(3, 3_000, 2_500, 60_000) // more than one part of the Gram matrices
	var first Factors
	for i, workers := range []int{1, 2, 3, 8} {
		o := Default()
		o.Factors, o.Iterations, o.Workers = factors, 3, workers
		f, err := Fit(t.Context(), data, o, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = f
		}
		if !same(f, first) {
			t.Errorf("%d factors: %d workers learn other bits", factors, workers)
		}
	}
}

func same(a, b Factors) bool {
	return a.Dimension == b.Dimension && sameBits(a.Users, b.Users) && sameBits(a.Items, b.Items) &&
		sameBits(a.UserMap.Weights, b.UserMap.Weights) && sameBits(a.ItemMap.Weights, b.ItemMap.Weights)
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// Cancelled within an iteration, at a time that no clock decides.
func TestCancelling(t *testing.T) {
	data, o := generate(7, 2_000, 500, 40_000), Default()
	o.Workers = 1
	training, err := newTraining(data, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	err = training.each(ctx, 1_000_000, func(*worker, int) error {
		if rows++; rows == 3 {
			cancel()
		}
		return nil
	})
	if rows != 3 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d rows, error %v", rows, err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Fit(cancelled, data, o, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// Those without ratings count for nothing while training, and then have the vectors that their features tell.
func TestRowsWithoutRatings(t *testing.T) {
	full := generate(8, 60, 40, 600)
	last := func(m *sparse.Matrix) *sparse.Matrix {
		rest, _ := m.Split(func(row, column int) bool { return row == 59 || column == 39 })
		return rest
	}
	data := Data{last(full.Ratings), full.Users, full.Items}
	f, err := Fit(t.Context(), data, Default(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []struct {
		features *coldstart.Features
		m        coldstart.Map
		vectors  []float32
		row      int
	}{{full.Users, f.UserMap, f.Users, 59}, {full.Items, f.ItemMap, f.Items, 39}} {
		want := make([]float32, f.Dimension)
		columns, values := side.features.Row(side.row)
		side.m.Apply(want, columns, values)
		if got := side.vectors[side.row*f.Dimension:]; !slices.Equal(got, want) || slices.Max(want) == 0 {
			t.Errorf("row %d: %v, want %v", side.row, got, want)
		}
	}
	f, err = Fit(t.Context(), Data{Ratings: data.Ratings}, Default(), nil, nil)
	if got := f.Items[39*f.Dimension:]; err != nil || !slices.Equal(got, make([]float32, f.Dimension)) {
		t.Errorf("without features: %v, error %v", got, err)
	}
	empty := &sparse.Matrix{Width: 3, Start: []int64{0, 0}}
	if f, err = Fit(t.Context(), Data{Ratings: empty}, Default(), nil, nil); err != nil || len(f.Users) != 32 || len(f.Items) != 96 {
		t.Errorf("without ratings: %d and %d numbers, error %v", len(f.Users), len(f.Items), err)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	_, err := Fit(t.Context(), Data{}, Options{Workers: -1, Training: settings.Training{FrequencyExponent: math.NaN()}, RatingWeights: [5]float64{1, math.Inf(1)}}, nil, nil)
	for _, want := range []string{"factors is 0", "iterations is 0", "unobservedWeight", "rating 2", "rating 5", "regularization is 0", "frequencyExponent is NaN", "featureRidge", "workers is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q: %v", want, err)
		}
	}
	for name, m := range map[string]*sparse.Matrix{
		"a rating of 6":  {Width: 1, Start: []int64{0, 1}, Columns: []int32{0}, Ratings: []uint16{600}},
		"a rating of 0":  {Width: 1, Start: []int64{0, 1}, Columns: []int32{0}, Ratings: []uint16{0}},
		"a column of 2":  {Width: 2, Start: []int64{0, 1}, Columns: []int32{2}, Ratings: []uint16{100}},
		"a column of -1": {Width: 2, Start: []int64{0, 1}, Columns: []int32{-1}, Ratings: []uint16{100}},
	} {
		if _, err := Fit(t.Context(), Data{Ratings: m}, Default(), nil, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	data := generate(9, 20, 20, 60)
	data.Users = &coldstart.Features{Start: []int64{0}}
	if _, err := Fit(t.Context(), data, Default(), nil, nil); err == nil {
		t.Error("features of other rows: no error")
	}
}

// A rating between two stars weighs between them. Whole stars have the weights of the options, to the bit.
func TestWeightsOfFractionalRatings(t *testing.T) {
	o := Options{RatingWeights: [5]float64{0.7, 0.85, 1, 2, 1.3}}
	for rating, want := range map[int]float64{
		100: 0.7, 200: 0.85, 300: 1, 400: 2, 500: 1.3, // to the bit
		50: 0.7, 99: 0.7, 350: 1.5, 325: 1.25, 301: 1.01, 450: 1.65,
	} {
		got := o.weight(rating)
		if exact := rating%100 == 0; exact && got != want || math.Abs(got-want) > 1e-12 {
			t.Errorf("%d hundredths of a star weigh %v, want %v", rating, got, want)
		}
	}
}

// Confidences are weights themselves, also those below one star.
func TestConfidencesWeighAsTheyAre(t *testing.T) {
	o := Default()
	o.Confidence = true
	for rating, want := range map[int]float64{1: 0.01, 37: 0.37, 100: 1, 250: 2.5, 500: 5} {
		if got := o.weight(rating); got != want {
			t.Errorf("%d hundredths weigh %v, want %v", rating, got, want)
		}
	}
	data := generate(9, 60, 40, 600)
	faint := *data.Ratings
	faint.Ratings = slices.Repeat([]uint16{1}, len(faint.Ratings))
	if _, err := Fit(t.Context(), Data{&faint, data.Users, data.Items}, o, nil, nil); err != nil {
		t.Error(err)
	}
}

// Half stars are learned from as whole ones are: a little more confidence moves the preference a little.
func TestHalfStarsTrain(t *testing.T) {
	data := generate(9, 20, 20, 60)
	halves := *data.Ratings
	halves.Ratings = slices.Clone(halves.Ratings)
	for k := range halves.Ratings {
		halves.Ratings[k] -= 50 // 0.5 to 4.5 stars
	}
	whole, err := Fit(t.Context(), data, Default(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	half, err := Fit(t.Context(), Data{&halves, data.Users, data.Items}, Default(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	far := 0.0
	for k, v := range whole.Items {
		far = max(far, math.Abs(float64(v-half.Items[k])))
	}
	if far == 0 || far > 0.5 {
		t.Errorf("half a star less moves the vectors by %v", far)
	}
}

// The hash is the result of the vector kernels of x86-64 and of arm64.
func TestBitsAreTheSameOnEveryProcessor(t *testing.T) {
	if !dense.Vectorised() {
		t.Skip("the kernels in Go round differently")
	}
	o := Default()
	o.Iterations = 3
	sum := fnv.New64a()
	f, err := Fit(t.Context(), gridData(), o, nil, func(c Checkpoint) error { return binary.Write(sum, binary.LittleEndian, c.Loss) })
	if err != nil {
		t.Fatal(err)
	}
	for _, numbers := range [][]float32{f.Users, f.Items, f.UserMap.Weights, f.ItemMap.Weights} {
		if err := binary.Write(sum, binary.LittleEndian, numbers); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprintf("%016x", sum.Sum64()); got != "5c371e0d8fad1ce9" {
		t.Errorf("hash of all that was learned: %s", got)
	}
}

// gridData is made of whole numbers alone: generate's logarithms need not be the same on every processor.
func gridData() Data {
	m := &sparse.Matrix{Width: 70, Start: []int64{0}}
	features := func(rows int) *coldstart.Features {
		f := &coldstart.Features{Width: 4, Start: []int64{0}}
		for row := range rows {
			f.Columns = append(f.Columns, 0, int32(1+row%3))
			f.Values = append(f.Values, float32(row%7)/4-0.75, 1)
			f.Start = append(f.Start, int64(len(f.Columns)))
		}
		return f
	}
	for row := range 90 {
		for column := range 70 {
			if (row*row+3*column*row+column)%11 < 3 {
				m.Columns, m.Ratings = append(m.Columns, int32(column)), append(m.Ratings, uint16(100*(1+(row+column)%5)))
			}
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	return Data{m, features(90), features(70)}
}
