package evaluation

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Variants are models to judge in one pass, because they share most of the work.
type Variants interface {
	// Variants returns how many there are.
	Variants() int
	// Rows calls each with a variant's scores of all items for one of the customers, for all of both. i counts the customers of
	// this call. each may change the row. Scores are those of Scorer, and Rows is called concurrently.
	Rows(customers []int32, each func(i, variant int, row []float32))
}

// NDCG10s returns the NDCG@10 of each customer by each variant. Customers are those of Result.PerCustomer, in their order. workers
// is as for Evaluate, and so are the errors.
func NDCG10s(ctx context.Context, by HoldOut, of Variants, workers int) ([][]float64, error) {
	if err := by.check(); err != nil {
		return nil, err
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	customers := by.customers()
	figures := make([][]float64, of.Variants())
	for v := range figures {
		figures[v] = make([]float64, len(customers))
	}
	block := perBlock(by.Train.Width)
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range workers {
		group.Go(func() error {
			for ctx.Err() == nil {
				from := (int(next.Add(1)) - 1) * block
				if from >= len(customers) {
					return nil
				}
				mine := customers[from:min(from+block, len(customers))]
				of.Rows(mine, func(i, variant int, row []float32) {
					figures[variant][from+i] = by.ndcg10(mine[i], row)
				})
			}
			return ctx.Err()
		})
	}
	return figures, group.Wait()
}

// ndcg10 is the figure of one customer.
func (h HoldOut) ndcg10(customer int32, row []float32) float64 {
	heldOut, _ := h.HeldOut.Row(int(customer))
	r := rank(row, h.known(customer), heldOut)
	return ndcg(10, r.hits(make([]int, 0, longest), heldOut), len(heldOut))
}
