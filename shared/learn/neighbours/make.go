package neighbours

import (
	"context"
	"fmt"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/sparse"
)

// Limits of the models.
const (
	// MostEntries bounds the entries of a table, products times neighbours. While it is made, an entry takes 16 bytes.
	MostEntries = 16_000_000
	// MostSteps bounds the pairs of products that KNN looks at: a customer's number of products, squared and summed.
	MostSteps = 20_000_000_000
)

// TooLarge is the error of a shop that an item-item model does not fit. It says by how much, and what to lower.
type TooLarge struct{ Reason string }

func (e *TooLarge) Error() string { return e.Reason }

// Make learns the item-item model that is described. workers is as for KNN. Errors: *TooLarge, ErrIllConditioned,
// dense.ErrNotPositive, a description that makes no sense, and the context's.
func Make(ctx context.Context, ratings *sparse.Matrix, n lake.Neighbours, workers int) (*Table, error) {
	if err := Fits(ratings, n); err != nil {
		return nil, err
	}
	switch n.Kind {
	case lake.KNN:
		return KNN(ctx, ratings, KNNOptions{Neighbours: n.Kept, TargetExponent: n.TargetExponent, SourceExponent: n.SourceExponent, Workers: workers})
	case lake.EASE:
		return EASE(ctx, ratings, EASEOptions{Ridge: n.Ridge, Neighbours: n.Kept, Workers: workers})
	}
	return nil, fmt.Errorf("neighbours of the kind %q: want %s or %s", n.Kind, lake.KNN, lake.EASE)
}

// Fits returns *TooLarge if a shop is too large for a model.
func Fits(ratings *sparse.Matrix, n lake.Neighbours) error {
	if entries := ratings.Width * n.Kept; entries > MostEntries {
		return &TooLarge{fmt.Sprintf("%d products with %d neighbours each are %d entries of at most %d", ratings.Width, n.Kept, entries, MostEntries)}
	}
	if n.Kind == lake.EASE && ratings.Width > MaxEASE {
		return &TooLarge{fmt.Sprintf("EASE takes %d products at most, and there are %d", MaxEASE, ratings.Width)}
	}
	if steps := Steps(ratings); n.Kind == lake.KNN && steps > MostSteps {
		return &TooLarge{fmt.Sprintf("item kNN takes %d steps of at most %d, because some customers have very many products", steps, MostSteps)}
	}
	return nil
}

// Steps returns how many pairs of products KNN looks at.
func Steps(ratings *sparse.Matrix) (n int) {
	for customer := range ratings.Rows() {
		products := int(ratings.Start[customer+1] - ratings.Start[customer])
		n += products * products
	}
	return n
}
