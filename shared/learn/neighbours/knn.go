package neighbours

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"recsys/shared/learn/sparse"
)

// KNNOptions say how products are compared by their common customers.
type KNNOptions struct {
	// Neighbours is the number of sources that a target product keeps, 1 and up.
	Neighbours int
	// TargetExponent and SourceExponent say how much popularity is taken off, 0 to 1. With ½ each, the weight is the cosine of
	// the two products. Lower exponents leave popular products ahead.
	TargetExponent, SourceExponent float64
	// Workers compare products at the same time. 0 means as many as there are cores. Their number changes no bit.
	Workers int
}

// DefaultKNN returns the options that did best on public data (exponent .3, 100 neighbours).
func DefaultKNN() KNNOptions {
	return KNNOptions{Neighbours: 100, TargetExponent: 0.3, SourceExponent: 0.3}
}

// Validate reports an option that is out of its bounds.
func (o KNNOptions) Validate() error {
	if o.Neighbours < 1 || !(o.TargetExponent >= 0 && o.TargetExponent <= 1) || !(o.SourceExponent >= 0 && o.SourceExponent <= 1) || o.Workers < 0 {
		return fmt.Errorf("item neighbours: %+v: want 1 neighbour or more, exponents of 0 to 1 and no negative number of workers", o)
	}
	return nil
}

// KNN compares each pair of products by their common customers. A customer with n products counts 1/n, because a customer
// who has everything says little about any pair. The weight from s to t is
//
//	Σ 1/n over common customers / (S^SourceExponent · T^TargetExponent)
//
// with S and T the sums of 1/n over all customers of either. Ratings count alike, for any number of stars. The time
// is Σ n² over customers. Memory is the table, and 16 bytes a product for each worker. Errors: Validate's and the
// context's. Method: Deshpande and Karypis 2004, "Item-based top-N recommendation algorithms".
func KNN(ctx context.Context, ratings *sparse.Matrix, o KNNOptions) (*Table, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	k := &knn{options: o, customers: ratings, products: ratings.Transpose(), targets: make([][]entry, ratings.Width)}
	k.share = make([]float64, ratings.Rows())
	for c := range k.share {
		products, _ := ratings.Row(c)
		k.share[c] = 1 / float64(max(len(products), 1))
	}
	k.source, k.target = make([]float64, ratings.Width), make([]float64, ratings.Width)
	for p := range ratings.Width {
		customers, _ := k.products.Row(p)
		norm := 0.0
		for _, c := range customers {
			norm += k.share[c]
		}
		k.source[p], k.target[p] = math.Pow(norm, -o.SourceExponent), math.Pow(norm, -o.TargetExponent)
	}
	if err := inParallel(ctx, ratings.Width, o.Workers, k.newWorker); err != nil {
		return nil, err
	}
	return bySource(k.targets), nil
}

type knn struct {
	options             KNNOptions
	customers, products *sparse.Matrix
	share               []float64 // 1/n by customer
	source, target      []float64 // the factors of a pair's weight, by product
	targets             [][]entry
}

// newWorker returns the function that finds the sources of one target product, with memory of its own.
func (k *knn) newWorker() func(target int) {
	common := make([]float64, k.customers.Width)
	touched := make([]int32, 0, k.customers.Width)
	var entries []entry
	return func(target int) {
		touched = touched[:0]
		customers, _ := k.products.Row(target)
		for _, c := range customers {
			products, _ := k.customers.Row(int(c))
			for _, p := range products {
				if common[p] == 0 {
					touched = append(touched, p)
				}
				common[p] += k.share[c]
			}
		}
		entries = entries[:0]
		for _, p := range touched {
			if int(p) != target {
				entries = append(entries, entry{p, float32(common[p] * k.source[p] * k.target[target])})
			}
			common[p] = 0
		}
		k.targets[target] = append([]entry(nil), best(entries, k.options.Neighbours)...)
	}
}

// inParallel calls a function for 0 to n-1 on several goroutines (0 means as many as there are cores). make gives each
// goroutine a function with memory of its own. The error is the context's.
func inParallel(ctx context.Context, n, workers int, make func() func(i int)) error {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range workers {
		group.Go(func() error {
			do := make()
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				do(i)
			}
		})
	}
	return group.Wait()
}
