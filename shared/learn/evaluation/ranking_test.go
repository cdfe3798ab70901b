package evaluation

import (
	"math"
	"reflect"
	"testing"
)

func TestRank(t *testing.T) {
	nan, never := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		name           string
		row            []float32
		known, heldOut []int32
		top            []int32
		firstHit       int
	}{
		{"by score", []float32{1, 3, 2}, nil, []int32{2}, []int32{1, 2, 0}, 2},
		{"equal scores by index", []float32{1, 2, 1, 2, 1}, nil, []int32{2}, []int32{1, 3, 0, 2, 4}, 4},
		{"equal held-out ones: the first counts", []float32{1, 1, 1}, nil, []int32{1, 2}, []int32{0, 1, 2}, 2},
		{"the known are no candidates", []float32{5, 4, 3, 2}, []int32{0, 2}, []int32{3}, []int32{1, 3}, 2},
		{"what cannot be recommended has no rank", []float32{nan, 1, never, 2}, nil, []int32{0, 1}, []int32{3, 1}, 2},
		{"only such held out", []float32{nan, 1, never, 2}, nil, []int32{0, 2}, []int32{3, 1}, 0},
		{"nothing can be recommended", []float32{nan, never}, nil, []int32{0}, nil, 0},
		{"all known", []float32{1, 2}, []int32{0, 1}, nil, nil, 0},
		{"infinitely good", []float32{1, float32(math.Inf(1))}, nil, []int32{0}, []int32{1, 0}, 2},
		{"negative and zero", []float32{-1, 0, -2}, nil, []int32{2}, []int32{1, 0, 2}, 3},
	} {
		r := rank(append([]float32(nil), c.row...), c.known, c.heldOut)
		if got := append([]int32(nil), r.top[:r.length]...); !reflect.DeepEqual(got, c.top) || r.firstHit != c.firstHit {
			t.Errorf("%s: %v, first hit %d; want %v, %d", c.name, got, r.firstHit, c.top, c.firstHit)
		}
	}
}

func TestRankOfLongRows(t *testing.T) {
	ascending, equal := make([]float32, 50), make([]float32, 50)
	for i := range ascending {
		ascending[i] = float32(i)
	}
	r := rank(ascending, []int32{49}, []int32{3})
	if r.length != longest || r.top[0] != 48 || r.top[19] != 29 || r.firstHit != 46 {
		t.Errorf("ascending scores: %d items, first %d, last %d, hit at %d", r.length, r.top[0], r.top[19], r.firstHit)
	}
	r = rank(equal, []int32{0}, []int32{49})
	if r.length != longest || r.top[0] != 1 || r.top[19] != 20 || r.firstHit != 49 {
		t.Errorf("equal scores: %d items, first %d, last %d, hit at %d", r.length, r.top[0], r.top[19], r.firstHit)
	}
}
