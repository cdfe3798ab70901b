package main

import (
	"strings"
	"testing"

	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
	"recsys/shared/store/vectorstore"
)

// The tastes of the shop are plain, so item kNN finds them. Noise does not, and passes only if item kNN does not decide.
func testNeighbours(t *testing.T, b *bench) {
	b.Trained.Margin = 0
	version := b.load(true, b.HeldOut, 0.3)
	out, report := b.evaluate(version), b.report(version)
	if !out.Promote || report.Neighbours == nil || report.Neighbours.NDCG10() < report.Candidate.Result.NDCG10() ||
		report.Neighbours.Customers != report.Popularity.Customers {
		t.Errorf("reported: %+v, item kNN %+v", out, report.Neighbours)
	}
	check := report.Decision.Checks[1]
	if check.Name != "neighbours" || check.Passed || check.Decides || check.Reference != report.Neighbours.NDCG10() {
		t.Errorf("reported: %+v", check)
	}
	b.Trained.Neighbours = evaluation.Enforce
	version = b.load(true, b.HeldOut, 0.3)
	if out := b.evaluate(version); out.Promote || !strings.Contains(out.Reason, "orse than item kNN") || b.record(version).Status != vectorstore.Failed {
		t.Errorf("enforced: %+v", out)
	}
}

// A shop that is too large for item kNN is evaluated without, and the report says so.
func TestALargeShopIsMeasuredWithoutItemNeighbours(t *testing.T) {
	const products = 3000
	wide := &sparse.Matrix{Width: mostEntries/neighbours.DefaultKNN().Neighbours + 1, Start: []int64{0, 0}}
	busy := &sparse.Matrix{Width: products, Start: []int64{0}}
	for range mostSteps/(products*products) + 1 {
		busy.Start = append(busy.Start, busy.Start[len(busy.Start)-1]+products)
	}
	for name, train := range map[string]*sparse.Matrix{"products": wide, "steps": busy} {
		m := measurement{HoldOut: evaluation.HoldOut{Train: train, HeldOut: &sparse.Matrix{Width: train.Width, Start: make([]int64, train.Rows()+1)}}}
		result, err := m.measureNeighbours(t.Context())
		if result != nil || err != nil || len(m.remarks) != 1 || !strings.HasPrefix(m.remarks[0], "Item kNN is not measured") {
			t.Errorf("too many %s: %+v, %v, remarks %q", name, result, err, m.remarks)
		}
	}
}
