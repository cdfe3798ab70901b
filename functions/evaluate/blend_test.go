package main

import (
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
	"recsys/shared/store/vectorstore"
)

// ofKinds has all products of a kind as each other's neighbours, as spelled by another shop.
func ofKinds(beta float64) *blend.Neighbours {
	n := &blend.Neighbours{Kind: lake.KNN, Beta: beta, Table: &neighbours.Table{Start: []int64{0}}}
	for source := range items {
		n.Items = append(n.Items, strings.ToLower(code(source)))
		for target := range items {
			if kind(source) == kind(target) && source != target {
				n.Table.Items, n.Table.Weights = append(n.Table.Items, int32(target)), append(n.Table.Weights, 1)
			}
		}
		n.Table.Start = append(n.Table.Start, int64(len(n.Table.Items)))
	}
	return n
}

// Vectors that are noise rank by their neighbours as much as β says. The neighbours know the tastes.
func testBlend(t *testing.T, b *bench) {
	figures := map[float64]float64{}
	for _, beta := range []float64{0, 0.5, 1} {
		version := b.loadWith(true, b.HeldOut, 0, ofKinds(beta))
		figures[beta] = b.evaluate(version).NDCG10
	}
	alone := b.evaluate(b.load(true, b.HeldOut, 0)).NDCG10
	if figures[0] != alone {
		t.Errorf("with β 0 NDCG@10 is %v, and %v without neighbours", figures[0], alone)
	}
	if !(figures[0.5] > 1.2*alone && figures[1] > 1.5*alone && figures[1] > figures[0.5]) {
		t.Errorf("NDCG@10 is %v by β, and %v without neighbours", figures, alone)
	}
}

// An active version whose neighbours are damaged is not compared with. A candidate's are an error.
func testDamagedNeighbours(t *testing.T, b *bench) {
	active := b.loadWith(true, b.HeldOut, 1, ofKinds(0.5))
	b.activate(active)
	damaged := func(version int64) {
		t.Helper()
		_, err := b.Artifacts.Put(t.Context(), lake.VersionKey(version, lake.EvaluationNeighboursKey), strings.NewReader("damaged"))
		b.Must(err)
	}
	damaged(active)
	candidate := b.load(true, b.HeldOut, 1)
	if out, report := b.evaluate(candidate), b.report(candidate); !out.Promote || report.Active != nil ||
		!slices.ContainsFunc(report.Remarks, func(r string) bool { return strings.Contains(r, "cannot be measured") }) {
		t.Errorf("%+v, active %+v, remarks %q", out, report.Active, report.Remarks)
	}
	candidate = b.loadWith(true, b.HeldOut, 1, ofKinds(0.5))
	damaged(candidate)
	if _, err := b.Handle(t.Context(), workflow.EvaluateInput{Run: runOf(candidate), Version: candidate}); failure.KindOf(err) != failure.InvalidEmbeddings || b.record(candidate).Status != vectorstore.Loaded {
		t.Errorf("a damaged candidate: %v, %s", err, b.record(candidate).Status)
	}
}
