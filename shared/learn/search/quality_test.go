package search

import (
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/learntest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/sampleshop"
)

// The figures of this file are in docs/training.md. Search and fit never see what is held out here.

// Gowalla's training part, with a fifth of each customer's pairs held out.
func TestQualityOnGowalla(t *testing.T) {
	if !testbed.Long() {
		t.Skip("searches on 650,000 pairs: go test ./shared/learn/search -run Gowalla -long -timeout 60m -v")
	}
	compare(t, learntest.Pairs(t, learntest.Beside(t, "../../..", "public/gowalla/train.txt")), 1)
}

// compare measures the search on one outer hold-out beside item kNN and ALS with fixed settings.
func compare(t *testing.T, all *sparse.Matrix, seed uint64) {
	rest, heldOut := all.Split(held(seed, heldOut))
	ratings := als.Data{Ratings: rest}
	searched := choice(t, ratings, Options{})
	fixed := als.Default()
	fixed.Factors, fixed.Iterations, fixed.Regularization, fixed.FrequencyExponent, fixed.UnobservedWeight = 128, 5, 0.4, 0.5, 0.01
	knn := lake.Neighbours{Kind: lake.KNN, TargetExponent: 0.3, SourceExponent: 0.3, Kept: 200, Beta: 1}
	got := at20(modelOf(t, ratings, Apply(searched, als.Default()), searched.Neighbours), rest, heldOut)
	vectors := at20(modelOf(t, ratings, fixed, nil), rest, heldOut)
	fixed.Factors, fixed.Iterations = 8, 1
	neighbours := at20(modelOf(t, ratings, fixed, &knn), rest, heldOut)
	t.Logf("recall@20 and NDCG@20: searched %.4f, ALS %.4f, item kNN %.4f", got, vectors, neighbours)
	for i, figure := range got {
		if best := max(vectors[i], neighbours[i]); figure < 1.05*best {
			t.Errorf("searched %.4f, the better of ALS and item kNN %.4f", figure, best)
		}
	}
}

// choice searches and returns the chosen trial.
func choice(t *testing.T, data als.Data, o Options) Trial {
	t.Helper()
	began := time.Now()
	o.Seed, o.Pinned.FeatureRidge = 77, data.Users == nil
	found, err := Run(t.Context(), data, held, als.Default(), o, nil, func(all []Trial) error {
		t.Logf("%4.0f s  %s", time.Since(began).Seconds(), short(all[len(all)-1]))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	chosen := found.Trials[found.Chosen]
	t.Logf("chosen after %.0f s: %s", time.Since(began).Seconds(), short(chosen))
	return chosen
}

// short is a trial in a line.
func short(t Trial) string {
	text := fmt.Sprintf("%.4f: %d factors, %d iterations, α₀ %.3g, λ %.3g, ν %.3g, ridge %.3g %s",
		t.NDCG10, t.Factors, t.Iterations, t.UnobservedWeight, t.Regularization, t.FrequencyExponent, t.FeatureRidge, t.Failed)
	if n := t.Neighbours; n != nil {
		text += fmt.Sprintf(", β %.1f %s %.3g %.3g %.3g", n.Beta, n.Kind, n.TargetExponent, n.SourceExponent, n.Ridge)
	}
	return text
}

// modelOf returns the scores of a model that is fitted to data.
func modelOf(t *testing.T, data als.Data, o als.Options, n *lake.Neighbours) blend.Customers {
	t.Helper()
	factors, err := als.Fit(t.Context(), data, o, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	model := blend.Model{Metric: distance.InnerProduct, Dimension: factors.Dimension, Items: make([]string, data.Ratings.Width), Vectors: factors.Items}
	if n != nil {
		if model.Neighbours, err = neighbours.Make(t.Context(), data.Ratings, *n, 0); err != nil {
			t.Fatal(err)
		}
		model.Beta = n.Beta
	}
	scorer, err := blend.NewScorer(model)
	if err != nil {
		t.Fatal(err)
	}
	return blend.Customers{Scorer: scorer, Vectors: rows(factors.Users, factors.Dimension), History: data.Ratings}
}

// at20 returns recall@20, over all that is held out of a customer as in the papers, and NDCG@20.
func at20(model evaluation.Scorer, rest, heldOut *sparse.Matrix) (figures [2]float64) {
	perCustomer := make([][2]float64, rest.Rows())
	var next atomic.Int64
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			scores := make([]float32, rest.Width)
			for {
				c := int(next.Add(1)) - 1
				if c >= rest.Rows() {
					return
				}
				if wanted, _ := heldOut.Row(c); len(wanted) > 0 {
					model.Score(scores, []int32{int32(c)})
					known, _ := rest.Row(c)
					perCustomer[c] = figuresOf(scores, known, wanted)
				}
			}
		})
	}
	workers.Wait()
	n := 0
	for c, f := range perCustomer {
		if wanted, _ := heldOut.Row(c); len(wanted) > 0 {
			n++
			figures[0], figures[1] = figures[0]+f[0], figures[1]+f[1]
		}
	}
	return [2]float64{figures[0] / float64(n), figures[1] / float64(n)}
}

func figuresOf(scores []float32, known, wanted []int32) [2]float64 {
	for _, p := range known {
		scores[p] = float32(math.Inf(-1))
	}
	hits, gain, ideal := 0.0, 0.0, 0.0
	for place := range 20 {
		best := 0
		for p, score := range scores {
			if score > scores[best] {
				best = p
			}
		}
		scores[best] = float32(math.Inf(-1))
		if _, found := slices.BinarySearch(wanted, int32(best)); found {
			hits, gain = hits+1, gain+1/math.Log2(float64(place+2))
		}
		if place < len(wanted) {
			ideal += 1 / math.Log2(float64(place+2))
		}
	}
	return [2]float64{hits / float64(len(wanted)), gain / ideal}
}

// ndcg10 judges a model by the pairs that are held out.
func ndcg10(t *testing.T, model evaluation.Scorer, rest, heldOut *sparse.Matrix) float64 {
	t.Helper()
	result, err := evaluation.Evaluate(t.Context(), evaluation.HoldOut{Train: rest, HeldOut: heldOut}, model, 0)
	if err != nil {
		t.Fatal(err)
	}
	return result.NDCG10()
}

// The lab's ratings, beside the options that were the default before there was a search.
func TestQualityOnClassicModels(t *testing.T) {
	file, err := os.ReadFile(learntest.Beside(t, "../../..", "classicmodels/expected_ratings_ml_training.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s := learntest.Read(t, file)
	const splits = 5
	var before, after float64
	for split := range uint64(splits) {
		rest, heldOut := s.Ratings.Split(held(split, heldOut))
		data := als.Data{Ratings: rest, Users: s.Users, Items: s.Items}
		found := choice(t, data, Options{})
		was := ndcg10(t, modelOf(t, data, als.Default(), nil), rest, heldOut)
		is := ndcg10(t, modelOf(t, data, Apply(found, als.Default()), found.Neighbours), rest, heldOut)
		t.Logf("split %d: NDCG@10 %.3f, defaults %.3f", split, is, was)
		before, after = before+was/splits, after+is/splits
	}
	t.Logf("NDCG@10 %.3f, defaults %.3f: %+.1f %%", after, before, 100*(after/before-1))
	if after < 1.12*before {
		t.Errorf("NDCG@10 %.3f, defaults %.3f", after, before)
	}
}

// A large sample shop, beside the truth that its customers choose by.
func TestQualityOnALargeSampleShop(t *testing.T) {
	if !testbed.Long() {
		t.Skip("searches on 400,000 ratings: go test ./shared/learn/search -run LargeSample -long -timeout 60m -v")
	}
	for taste, goal := range map[float64]float64{1: 0.75, 3: 0.9} { // of the truth
		o := sampleshop.Default()
		o.Seed, o.Customers, o.Products, o.Ratings, o.TasteStrength = 1, 16_000, 10_000, 400_000, taste
		s, truth := learntest.Sample(t, o)
		rest, heldOut := s.Ratings.Split(held(1, heldOut))
		data := als.Data{Ratings: rest, Users: s.Users, Items: s.Items}
		found := choice(t, data, Options{Memory: 1 << 30}) // EASE of 10,000 products takes minutes
		best := ndcg10(t, truth, rest, heldOut)
		was := ndcg10(t, modelOf(t, data, als.Default(), nil), rest, heldOut)
		is := ndcg10(t, modelOf(t, data, Apply(found, als.Default()), found.Neighbours), rest, heldOut)
		t.Logf("taste %g: NDCG@10 %.4f, defaults %.4f, the truth %.4f, which is %.3f of it", taste, is, was, best, is/best)
		if is < goal*best {
			t.Errorf("taste %g: NDCG@10 %.4f of %.4f, want %g of it", taste, is, best, goal)
		}
	}
}
