// Package evaluation judges a model by ratings that were held out of its training. It computes recall, NDCG,
// reciprocal rank, coverage, novelty and the share of the head of full rankings, without sampled negatives. Its gate decides if a version is
// promoted. Package report shows its results.
//
// Promise: the same ratings and scores give the same figures, bit for bit, with any number of workers. It reads and
// writes neither S3 nor a database. Memory is that of the ratings and of the scorer, and one block of scores (2 MB, or
// one row) a worker.
//
// A figure is the mean over the customers with at least one held-out rating and one remaining. Their candidates
// are all items but those of their remaining ratings. Each figure is defined where it is computed, in metrics.go.
package evaluation

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"recsys/shared/learn/sparse"
)

// Scorer is a model to judge. Score fills dst with the scores of all items for each of the customers, row by row. dst
// has len(customers) times the number of items. customers and items are rows and columns of the matrices. A higher
// score is better. NaN and -Inf mean that the item cannot be recommended to the customer. Score is called
// concurrently, and must give a customer and an item the same score each time.
type Scorer interface {
	Score(dst []float32, customers []int32)
}

// Result holds a model's figures on the hold-out.
type Result struct {
	Customers int `json:"customers"` // judged by: with at least one held-out and one remaining rating
	HeldOut   int `json:"heldOut"`   // their held-out ratings
	Items     int `json:"items"`     // the size of the catalogue
	// Unserved counts the customers without any item that can be recommended. They count 0 everywhere.
	Unserved int `json:"unserved"`

	// MRR is the mean reciprocal rank: 1 over the rank of the first held-out item in the full ranking, 0 where there is none.
	MRR float64               `json:"mrr"`
	At  [len(Cutoffs)]Figures `json:"at"` // by Cutoffs

	Interval  Interval `json:"ndcg10Interval"`  // of the mean NDCG@10
	Histogram [10]int  `json:"ndcg10Histogram"` // customers by NDCG@10: 0 to below 0.1, …, 0.9 to 1

	ByHistory [len(Histories)]History `json:"byHistory"`       // by Histories
	ByAge     []Age                   `json:"byAge,omitempty"` // by Ages, nil if the items have no ages

	// PerCustomer is the NDCG@10 of each customer, in the matrix's order: all results on one hold-out pair up.
	PerCustomer []float64 `json:"-"`
}

// Figures are those of lists of length K. Recall, NDCG, Coverage and Head are 0 to 1, Novelty is in bits.
type Figures struct {
	K      int     `json:"k"`
	Recall float64 `json:"recall"`
	NDCG   float64 `json:"ndcg"`
	// Coverage is the share of the catalogue that is in anyone's list.
	Coverage float64 `json:"coverage"`
	// Novelty is the mean self-information of everything in the lists.
	Novelty float64 `json:"novelty"`
	// Head is the share of everything in the lists that belongs to the head: the products with the most remaining ratings,
	// one in a hundred of the catalogue, and at least one.
	Head float64 `json:"head"`
}

// History holds the customers with From to To remaining ratings. To is 0 for those without an upper bound.
type History struct {
	From      int     `json:"from"`
	To        int     `json:"to,omitempty"`
	Customers int     `json:"customers"`
	NDCG10    float64 `json:"ndcg10"` // their mean, 0 without a customer
}

// String returns the lengths: 1–4, or 20+.
func (h History) String() string {
	if h.To == 0 {
		return fmt.Sprintf("%d+", h.From)
	}
	return fmt.Sprintf("%d–%d", h.From, h.To)
}

// Histories are the lengths of history that the figures are given for.
var Histories = [...]History{{From: 1, To: 4}, {From: 5, To: 19}, {From: 20}}

// Age holds the held-out pairs of items that are From to To days old. To is 0 for those without an upper bound.
type Age struct {
	From    int `json:"from"`
	To      int `json:"to,omitempty"`
	HeldOut int `json:"heldOut"` // pairs
	// Found is the share of these pairs whose item is among the first ten of its customer, 0 without a pair.
	Found float64 `json:"found"`
}

// String returns the days: 0–29, or 180+.
func (a Age) String() string { return History{From: a.From, To: a.To}.String() }

// Ages are the ages of items, in days, that the figures are given for.
var Ages = [...]Age{{From: 0, To: 29}, {From: 30, To: 179}, {From: 180}}

// NDCG10 is the figure that the gate decides on.
func (r *Result) NDCG10() float64 { return r.At[1].NDCG }

// HoldOut is the ratings that a model is judged by. Train holds the known ones, HeldOut those to find. Both are customers
// by items, of one shape.
type HoldOut struct {
	Train, HeldOut *sparse.Matrix
	// Repeatable makes the known items candidates, too: goods that are bought again. Otherwise no pair may be in both.
	Repeatable bool
	// Ages is how many days ago each item had its first interaction, negative if nobody knows. Nil: no item has an age.
	Ages []int32
}

// Customers returns the number of customers to judge by: those with a known and a held-out rating.
func (h HoldOut) Customers() int { return len(h.customers()) }

// customers returns those to judge by.
func (h HoldOut) customers() (customers []int32) {
	for c := range h.Train.Rows() {
		if h.Train.Start[c] < h.Train.Start[c+1] && h.HeldOut.Start[c] < h.HeldOut.Start[c+1] {
			customers = append(customers, int32(c))
		}
	}
	return customers
}

// known returns the items that are no candidates for a customer.
func (h HoldOut) known(customer int32) []int32 {
	if h.Repeatable {
		return nil
	}
	known, _ := h.Train.Row(int(customer))
	return known
}

func (h HoldOut) check() error {
	if h.Train.Rows() != h.HeldOut.Rows() || h.Train.Width != h.HeldOut.Width {
		return fmt.Errorf("evaluating: %d × %d ratings and %d × %d held out", h.Train.Rows(), h.Train.Width, h.HeldOut.Rows(), h.HeldOut.Width)
	}
	return nil
}

// Evaluate ranks all items for each customer and looks for the held-out ones. workers is the number of goroutines. 0: one
// for each processor. Errors: matrices of different shape, and ctx's.
func Evaluate(ctx context.Context, by HoldOut, scorer Scorer, workers int) (Result, error) {
	if err := by.check(); err != nil {
		return Result{}, err
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	e := prepare(by, scorer)
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	places := make([][]uint8, workers)
	for w := range workers {
		places[w] = make([]uint8, by.Train.Width)
		group.Go(func() error { return e.work(ctx, &next, places[w]) })
	}
	if err := group.Wait(); err != nil {
		return Result{}, err
	}
	return e.result(places), nil
}
