package testbed

import (
	"slices"
	"testing"
)

func TestSpreadHasTheFirstTheLastAndEveryStep(t *testing.T) {
	defer func(before bool) { *long = before }(*long)
	for _, c := range []struct{ points, want []int }{
		{nil, nil},
		{[]int{0}, []int{0}},
		{[]int{0, 1}, []int{0, 1}},
		{[]int{0, 1, 2, 3}, []int{0, 3}},
		{[]int{0, 1, 2, 3, 4, 5, 6, 7}, []int{0, 3, 6, 7}},
	} {
		*long = false
		if got := Spread(c.points, 3); !slices.Equal(got, c.want) {
			t.Errorf("every third of %v is %v, want %v", c.points, got, c.want)
		}
		*long = true
		if got := Spread(c.points, 3); !slices.Equal(got, c.points) {
			t.Errorf("with -long %v became %v", c.points, got)
		}
	}
}
