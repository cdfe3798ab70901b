package evaluation

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// variants are several models, judged one after the other.
type variants []table

func (v variants) Variants() int { return len(v) }

func (v variants) Rows(customers []int32, each func(i, variant int, row []float32)) {
	for i, c := range customers {
		for variant, t := range v {
			each(i, variant, slices.Clone(t[c]))
		}
	}
}

// Each variant has the figures that it has alone, with any number of workers.
func TestVariantsHaveTheirOwnFigures(t *testing.T) {
	chance := rand.New(rand.NewPCG(5, 6))
	const customers, items = 150, 40
	var known, wanted [][]int32
	v := variants{make(table, customers), make(table, customers)}
	for c := range customers {
		order := chance.Perm(items)
		known = append(known, ascending(order[:c%4]))
		wanted = append(wanted, ascending(order[10:10+c%7]))
		for _, t := range v {
			for range items {
				t[c] = append(t[c], float32(chance.IntN(30)))
			}
		}
	}
	for _, repeatable := range []bool{false, true} {
		by := HoldOut{Train: matrix(items, known...), HeldOut: matrix(items, wanted...), Repeatable: repeatable}
		for _, workers := range []int{0, 1, 3} {
			got, err := NDCG10s(t.Context(), by, v, workers)
			if err != nil {
				t.Fatal(err)
			}
			for i, of := range v {
				want, err := Evaluate(t.Context(), by, of, 2)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got[i], want.PerCustomer) || want.NDCG10() == 0 {
					t.Errorf("variant %d, repeatable %t, %d workers: %v, want %v", i, repeatable, workers, got[i], want.PerCustomer)
				}
			}
		}
	}
}

func ascending(items []int) (columns []int32) {
	for _, i := range items {
		columns = append(columns, int32(i))
	}
	slices.Sort(columns)
	return columns
}

func TestVariantsOfOtherShapeOrCancelled(t *testing.T) {
	v := variants{{{1, 2}}}
	if _, err := NDCG10s(t.Context(), HoldOut{Train: matrix(2, []int32{0}), HeldOut: matrix(3, []int32{1})}, v, 1); err == nil {
		t.Error("matrices of different shape were judged")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NDCG10s(cancelled, HoldOut{Train: matrix(2, []int32{0}), HeldOut: matrix(2, []int32{1})}, v, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
