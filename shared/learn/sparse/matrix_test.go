package sparse

import (
	"reflect"
	"testing"
)

// small is customers 0 to 2 by items 0 to 3:
//
//	5 . . 1
//	. . . .
//	2 . 3 4
var small = &Matrix{Width: 4, Start: []int64{0, 2, 2, 5}, Columns: []int32{0, 3, 0, 2, 3}, Ratings: []uint16{500, 100, 200, 300, 400}}

func TestTranspose(t *testing.T) {
	want := &Matrix{Width: 3, Start: []int64{0, 2, 2, 3, 5}, Columns: []int32{0, 2, 2, 0, 2}, Ratings: []uint16{500, 200, 300, 100, 400}}
	if got := small.Transpose(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := small.Transpose().Transpose(); !reflect.DeepEqual(got, small) {
		t.Errorf("transposed twice: %+v", got)
	}
}

func TestThin(t *testing.T) {
	want := &Matrix{Width: 4, Start: []int64{0, 0, 0, 3}, Columns: []int32{0, 2, 3}, Ratings: []uint16{200, 300, 400}}
	if got := small.Thin(func(row int) bool { return row == 2 }); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReordered(t *testing.T) {
	want := &Matrix{Width: 4, Start: []int64{0, 3, 5, 5}, Columns: []int32{0, 2, 3, 0, 3}, Ratings: []uint16{200, 300, 400, 500, 100}}
	if got := small.Reordered([]int32{2, 0, 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSplit(t *testing.T) {
	rest, held := small.Split(func(row, column int) bool { return column == 3 })
	if want := (&Matrix{Width: 4, Start: []int64{0, 1, 1, 3}, Columns: []int32{0, 0, 2}, Ratings: []uint16{500, 200, 300}}); !reflect.DeepEqual(rest, want) {
		t.Errorf("rest %+v, want %+v", rest, want)
	}
	if want := (&Matrix{Width: 4, Start: []int64{0, 1, 1, 2}, Columns: []int32{3, 3}, Ratings: []uint16{100, 400}}); !reflect.DeepEqual(held, want) {
		t.Errorf("held out %+v, want %+v", held, want)
	}
}
