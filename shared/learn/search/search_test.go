package search

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/als"
	"recsys/shared/learn/sparse"
)

// shop draws customers of hidden groups, each of which likes its own products.
func shop(seed uint64, customers, products, perCustomer int) als.Data {
	chance := rand.New(rand.NewPCG(seed, 0))
	m := &sparse.Matrix{Width: products, Start: []int64{0}}
	for c := range customers {
		has := make([]bool, products)
		for range perCustomer {
			product := chance.IntN(products)
			if chance.IntN(5) > 0 {
				product = product/5*5 + c%5
			}
			has[min(product, products-1)] = true
		}
		for p, yes := range has {
			if yes {
				m.Columns, m.Ratings = append(m.Columns, int32(p)), append(m.Ratings, 300)
			}
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	return als.Data{Ratings: m}
}

func held(seed uint64, share float64) func(row, column int) bool {
	return func(row, column int) bool {
		return sparse.HeldOut(seed, share, strconv.Itoa(row), strconv.Itoa(column))
	}
}

func keep([]Trial) error { return nil }

func run(t *testing.T, data als.Data, workers int, o Options, done []Trial, after func([]Trial) error) lake.Search {
	t.Helper()
	base := als.Default()
	base.Workers = workers
	r, err := Run(t.Context(), data, held, base, o, done, after)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheChoiceBeatsTheDefault(t *testing.T) {
	r := run(t, shop(1, 120, 60, 8), 0, Options{Seed: 3}, nil, keep)
	first, chosen := r.Trials[0], r.Trials[r.Chosen]
	t.Logf("default %.3f, chosen %+v, %d trials", first.NDCG10, chosen, len(r.Trials))
	if d := als.Default(); first.Factors != d.Factors || first.UnobservedWeight != d.UnobservedWeight || first.Regularization != d.Regularization {
		t.Errorf("the first candidate is %+v, not the default", first)
	}
	if chosen.NDCG10 < first.NDCG10*(1-cheaper) || chosen.Iterations < 1 || r.Folds != mostFolds || r.Customers != 120 {
		t.Errorf("chosen %+v over %+v in %d folds of %d customers", chosen, first, r.Folds, r.Customers)
	}
	for i, a := range r.Trials {
		for _, b := range r.Trials[:i] {
			if sameOptions(a, b) {
				t.Errorf("%+v is tried twice", a)
			}
		}
	}
}

func TestWorkersAndInterruptionsChangeNothing(t *testing.T) {
	data := shop(2, 80, 60, 12)
	want := run(t, data, 1, Options{Seed: 3}, nil, keep)
	if got := run(t, data, 3, Options{Seed: 3}, nil, keep); !reflect.DeepEqual(got, want) {
		t.Error("other workers, another search")
	}
	for _, n := range []int{1, len(want.Trials) / 2, len(want.Trials)} {
		judged := 0
		got := run(t, data, 2, Options{Seed: 3}, want.Trials[:n], func([]Trial) error { judged++; return nil })
		if !reflect.DeepEqual(got, want) || judged != len(want.Trials)-n {
			t.Errorf("resumed after %d of %d trials: %d more were judged", n, len(want.Trials), judged)
		}
	}
	foreign := append([]Trial(nil), want.Trials...)
	foreign[1].Regularization = 7
	if got := run(t, data, 2, Options{Seed: 3}, foreign, keep); !reflect.DeepEqual(got, want) {
		t.Error("trials of another search were believed")
	}
}

func TestPinnedOptionsStay(t *testing.T) {
	r := run(t, shop(3, 60, 60, 14), 0, Options{Seed: 3, Pinned: settings.Pinned{Factors: true, Regularization: true, FeatureRidge: true}}, nil, keep)
	d, weights := als.Default(), map[float64]bool{}
	for _, trial := range r.Trials {
		if trial.Factors != d.Factors || trial.Regularization != d.Regularization || trial.FeatureRidge != d.FeatureRidge {
			t.Errorf("%+v moves a pinned option", trial)
		}
		weights[trial.UnobservedWeight] = true
	}
	r = run(t, shop(3, 60, 60, 14), 0, Options{Seed: 3, Pinned: settings.Pinned{Iterations: true}}, nil, keep)
	for _, trial := range r.Trials {
		if trial.Iterations != d.Iterations {
			t.Errorf("%+v moves the pinned iterations", trial)
		}
	}
	if len(weights) < 5 {
		t.Errorf("only %d weights of unobserved pairs were tried", len(weights))
	}
}

// Many iterations stay pinned and do not make the trials long.
func TestManyPinnedIterations(t *testing.T) {
	base := als.Default()
	base.Iterations = 500
	s := &search{base: base, Options: Options{Seed: 3, Pinned: settings.Pinned{Iterations: true}}, after: keep}
	if err := s.validate(shop(3, 60, 60, 14), held); err != nil {
		t.Fatal(err)
	}
	c := candidates(1, nil, base, s.Pinned, 60)[0]
	figures, err := s.fit(t.Context(), &s.folds[0], c)
	if err != nil || len(figures) != MostIterations {
		t.Errorf("%d iterations, %v", len(figures), err)
	}
	if trial, err := s.fits(t.Context(), c); err != nil || trial.Iterations != base.Iterations {
		t.Errorf("%+v, %v", trial, err)
	}
}

func TestTooFewCustomersOrRatings(t *testing.T) {
	for _, data := range []als.Data{shop(1, LeastCustomers-1, 60, 30), shop(1, 60, 60, 3)} {
		if _, err := Run(t.Context(), data, held, als.Default(), Options{}, nil, keep); !errors.Is(err, ErrTooFew) {
			t.Errorf("error %v", err)
		}
	}
}

func TestErrorsEndTheSearch(t *testing.T) {
	data, enough := shop(4, 60, 60, 14), errors.New("enough")
	if _, err := Run(t.Context(), data, held, als.Default(), Options{}, nil, func([]Trial) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(cancelled, data, held, als.Default(), Options{}, nil, keep); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// Without any pattern no candidate finds the held-out items among so many products. None is chosen, and the error
// says why.
func TestASearchThatFindsNothing(t *testing.T) {
	nothing := func(uint64, float64) func(int, int) bool { return func(int, int) bool { return false } }
	_, err := Run(t.Context(), shop(5, 60, 60, 14), nothing, als.Default(), Options{}, nil, keep)
	if !errors.Is(err, ErrNoneFits) || !strings.Contains(err.Error(), "the first because") {
		t.Errorf("error %v", err)
	}
}

func TestACheaperCandidateMayLoseALittle(t *testing.T) {
	trial := func(factors int, ndcg float64) Trial { return Trial{Factors: factors, NDCG10: ndcg, Iterations: 1} }
	for i, test := range []struct {
		trials []Trial
		want   int
	}{
		{[]Trial{trial(64, 0.5), trial(32, 0.496), trial(16, 0.494)}, 1},
		{[]Trial{trial(64, 0.5), trial(64, 0.51), trial(128, 0.512)}, 1},
		{[]Trial{{Factors: 1, NDCG10: 0.9, Failed: "diverged"}, trial(64, 0.1)}, 1},
		{[]Trial{{Failed: "diverged"}}, -1},
	} {
		if got := choose(test.trials, ""); got != test.want {
			t.Errorf("test %d: chose %d, want %d", i, got, test.want)
		}
	}
}

// A large shop's customers are sampled, for the fit and once more for the validation.
func TestLargeShopsAreSampled(t *testing.T) {
	s := search{Options: Options{Seed: 1}}
	data := als.Data{Ratings: &sparse.Matrix{Width: 1000, Start: []int64{0}}}
	for range 20_000 {
		for p := range 100 {
			data.Ratings.Columns, data.Ratings.Ratings = append(data.Ratings.Columns, int32(p*10)), append(data.Ratings.Ratings, 300)
		}
		data.Ratings.Start = append(data.Ratings.Start, int64(len(data.Ratings.Columns)))
	}
	if err := s.validate(data, held); err != nil {
		t.Fatal(err)
	}
	judges := 0
	for c := range s.folds[0].heldOut.Rows() {
		if columns, _ := s.folds[0].heldOut.Row(c); len(columns) > 0 {
			judges++
		}
	}
	if near := func(got, want int) bool { return math.Abs(float64(got-want)) < 0.1*float64(want) }; !near(s.result.Ratings, MostRatings) ||
		!near(s.result.Customers, 10_000) || !near(judges, MostCustomers) || s.result.Folds != 1 {
		t.Errorf("%d ratings of %d customers, judged by %d", s.result.Ratings, s.result.Customers, judges)
	}
}

// A sample of a few customers with very many ratings says too little, and may be nobody.
func TestASampleOfFewCustomersIsTooFew(t *testing.T) {
	const products = 100_000
	data := als.Data{Ratings: &sparse.Matrix{Width: products, Start: []int64{0}}}
	for range LeastCustomers {
		for p := range products {
			data.Ratings.Columns, data.Ratings.Ratings = append(data.Ratings.Columns, int32(p)), append(data.Ratings.Ratings, 300)
		}
		data.Ratings.Start = append(data.Ratings.Start, int64(len(data.Ratings.Columns)))
	}
	if err := (&search{Options: Options{Seed: 1}}).validate(data, held); !errors.Is(err, ErrTooFew) {
		t.Errorf("error %v", err)
	}
}

// A shop of few customers gets few factors, and so does one whose vectors would not fit.
func TestFactorsAreBounded(t *testing.T) {
	best := Trial{Factors: 16, NDCG10: 0.1, Iterations: 1}
	for most, want := range map[int][]int{20: {16}, 59: {16, 32}, 130: {16, 32, 128}, 1000: {16, 32, 128, 256}} {
		var factors []int
		for _, c := range candidates(2, &best, als.Default(), settings.Pinned{}, most) {
			factors = append(factors, c.Factors)
		}
		if !reflect.DeepEqual(factors, want) {
			t.Errorf("at most %d factors: tried %v, want %v", most, factors, want)
		}
		for _, c := range candidates(1, nil, als.Default(), settings.Pinned{}, most)[1:] {
			if c.Factors > max(most, 16) {
				t.Errorf("at most %d factors: the first round tries %d", most, c.Factors)
			}
		}
	}
}

// Splits that are made already, by time, take the place of those by the seed. A large shop's are sampled, too.
func TestGivenFoldsAreUsed(t *testing.T) {
	data := shop(5, 80, 60, 14)
	var folds []Fold
	for seed := range uint64(2) {
		rest, validation := data.Ratings.Split(held(seed+7, 0.3))
		folds = append(folds, Fold{rest, validation})
	}
	unused := func(uint64, float64) func(int, int) bool { panic("the ratings are held out once more") }
	r, err := Run(t.Context(), data, unused, als.Default(), Options{Seed: 1, Folds: folds}, nil, keep)
	if err != nil || r.Folds != 2 || r.Ratings != len(data.Ratings.Columns) || r.Trials[r.Chosen].NDCG10 <= 0 {
		t.Errorf("%d folds, %d ratings, best %+v, %v", r.Folds, r.Ratings, r.Trials[r.Chosen], err)
	}
	again, err := Run(t.Context(), data, unused, als.Default(), Options{Seed: 1, Folds: folds[:1]}, nil, keep)
	if err != nil || again.Folds != 1 || reflect.DeepEqual(again.Trials, r.Trials) {
		t.Errorf("with one fold: %d folds, %v", again.Folds, err)
	}
	repeated, err := Run(t.Context(), data, unused, als.Default(), Options{Seed: 1, Folds: folds, Repeatable: true}, nil, keep)
	if err != nil || repeated.Trials[0].NDCG10 >= r.Trials[0].NDCG10 {
		t.Errorf("the known products compete, and the first trial has %v after %v, %v", repeated.Trials[0].NDCG10, r.Trials[0].NDCG10, err)
	}
}

// Neighbours of each kind are tried next to the best vectors, and each figure is that of the model at its β.
func TestNeighboursAreTriedNextToTheBest(t *testing.T) {
	data := shop(6, 120, 60, 8)
	r := run(t, data, 0, Options{Seed: 3}, nil, keep)
	kinds, best := map[string]int{}, r.Trials[0]
	for _, trial := range r.Trials {
		if trial.Neighbours == nil {
			if trial.NDCG10 > best.NDCG10 {
				best = trial
			}
			continue
		}
		kinds[trial.Neighbours.Kind]++
		vectors := trial
		vectors.Neighbours = nil
		if n := trial.Neighbours; !sameOptions(vectors, best) || trial.Iterations != best.Iterations || n.Kept != lake.DefaultKept || n.Beta < 0.1 || n.Beta > 1 {
			t.Errorf("%+v with %+v is not next to the best, %+v", trial, n, best)
		}
		sum := 0.0
		for f := range uint64(r.Folds) {
			rest, heldOut := data.Ratings.Split(held(3+f, heldOut))
			of := als.Data{Ratings: rest}
			sum += ndcg10(t, modelOf(t, of, Apply(trial, als.Default()), trial.Neighbours), rest, heldOut)
		}
		if mean := sum / float64(r.Folds); math.Abs(mean-trial.NDCG10) > 1e-9 {
			t.Errorf("%+v with %+v has %v", trial, trial.Neighbours, mean)
		}
	}
	if kinds[lake.KNN] != len(exponents) || kinds[lake.EASE] != len(ridges) || len(r.LeftOut) > 0 {
		t.Errorf("tried %v, left out %q", kinds, r.LeftOut)
	}
}

// Too large a shop leaves a kind of neighbours out, says so, and says by how much. A large one keeps fewer neighbours.
func TestNeighboursOfLargeShops(t *testing.T) {
	ratings := func(products, perCustomer int) *sparse.Matrix {
		return &sparse.Matrix{Width: products, Start: []int64{0, int64(perCustomer)}}
	}
	for _, c := range []struct {
		name            string
		ratings         *sparse.Matrix
		folds           int
		memory          int64
		knn, ease, kept int
		leftOut         []string
	}{
		{"small", ratings(5_000, 10), 5, 0, len(exponents), len(ridges), 100, nil},
		{"many folds", ratings(6_000, 10), 5, 0, len(exponents), 0, 100, []string{"EASE is not tried: 6000 products are more than 5848"}},
		{"little memory", ratings(5_000, 10), 1, 512 << 20, len(exponents), 0, 100, []string{"5000 products are more than 4729"}},
		{"many products", ratings(200_000, 10), 1, 0, len(exponents), 0, 80, []string{"EASE is not tried"}},
		{"too many products", ratings(900_000, 10), 1, 0, 0, 0, 0, []string{"Item neighbours are not tried: 900000 products are too many, of at most 800000."}},
		{"a customer with all", ratings(5_000, 150_000), 1, 0, 0, len(ridges), 100, []string{"Item kNN is not tried"}},
	} {
		s := search{Options: Options{Memory: c.memory}, folds: make([]fold, c.folds), partner: Trial{Factors: 16, NDCG10: 0.1, Iterations: 1}}
		list, leftOut := s.withNeighbours(c.ratings)
		kinds := map[string]int{}
		for _, trial := range list {
			kinds[trial.Neighbours.Kind]++
			if trial.Neighbours.Kept != c.kept || trial.Round != blended || trial.NDCG10 != 0 {
				t.Errorf("%s: %+v with %+v", c.name, trial, trial.Neighbours)
			}
		}
		if kinds[lake.KNN] != c.knn || kinds[lake.EASE] != c.ease || len(leftOut) != len(c.leftOut) {
			t.Errorf("%s: %v, left out %q", c.name, kinds, leftOut)
			continue
		}
		for i, want := range c.leftOut {
			if !strings.Contains(leftOut[i], want) {
				t.Errorf("%s: left out %q, want %q", c.name, leftOut[i], want)
			}
		}
	}
}

// Options may name a kind of neighbours, or none.
func TestKindsOfNeighbours(t *testing.T) {
	for kind, want := range map[string]map[string]int{
		"auto": {lake.KNN: len(exponents), lake.EASE: len(ridges)}, lake.KNN: {lake.KNN: len(exponents)}, lake.EASE: {lake.EASE: len(ridges)}, "off": {},
	} {
		s := search{Options: Options{Neighbours: kind}, folds: make([]fold, 1)}
		list, leftOut := s.withNeighbours(&sparse.Matrix{Width: 50, Start: []int64{0}})
		kinds := map[string]int{}
		for _, trial := range list {
			kinds[trial.Neighbours.Kind]++
		}
		if !reflect.DeepEqual(kinds, want) || len(leftOut) > 0 {
			t.Errorf("%s: tried %v, left out %q", kind, kinds, leftOut)
		}
	}
}

// Neighbours are two numbers each, so they must gain more than a cheaper candidate may lose.
func TestNeighboursMustGain(t *testing.T) {
	alone, next := Trial{Factors: 64, NDCG10: 0.5, Iterations: 1}, Trial{Factors: 64, NDCG10: 0.504, Iterations: 1, Neighbours: &lake.Neighbours{Kind: lake.KNN, Kept: 100}}
	if got := choose([]Trial{alone, next}, ""); got != 0 {
		t.Errorf("chose %d for a gain of 0.8 %%", got)
	}
	if next.NDCG10 = 0.51; choose([]Trial{alone, next}, "") != 1 {
		t.Error("a gain of 2 % does not count")
	}
	if next.NDCG10 = 0.3; choose([]Trial{alone, next}, lake.KNN) != 1 || choose([]Trial{alone, next}, lake.EASE) != 0 {
		t.Error("the kind that is asked for does not go first")
	}
}
