package als

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/learntest"
	"recsys/shared/learn/dense"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/sampleshop"
)

// With a fifth of each customer's ratings held out, the items that they have not rated ranked, and those held out
// relevant. The figures that come out, of the options in Default, are in the package comment.

// A shop whose truth is known. The ratios differ by some hundredths from split to split, so several count together.
func TestQualityOfTheSampleShop(t *testing.T) {
	for seed := range uint64(4) {
		var truth, learned, popular float64
		const splits = 4
		for split := range uint64(splits) {
			o := sampleshop.Default()
			o.Seed = seed + 1
			s, scores := sampleShop(t, o)
			rest, held := holdOut(s.Ratings, split)
			s.Ratings = rest
			truth += mean(ndcg(scores, rest, held, 10)) / splits
			learned += mean(ndcg(learnedScores(t, s, Default()), rest, held, 10)) / splits
			popular += mean(ndcg(popularity(rest), rest, held, 10)) / splits
		}
		t.Logf("shop %d: NDCG@10 of the truth %.3f, learned %.3f (%.2f of it), popularity %.3f", seed+1, truth, learned, learned/truth, popular)
		if learned < 0.8*truth || learned < 1.5*popular {
			t.Errorf("shop %d: NDCG@10 %.3f; the truth's is %.3f, that of popularity %.3f", seed+1, learned, truth, popular)
		}
	}
}

// Where taste decides nothing there is nothing to learn but popularity.
func TestQualityWithoutTaste(t *testing.T) {
	for seed := range uint64(3) {
		o := sampleshop.Default()
		o.Seed, o.TasteStrength = seed+1, 0
		s, _ := sampleShop(t, o)
		rest, held := holdOut(s.Ratings, 0)
		s.Ratings = rest
		low, middle, high := gain(ndcg(learnedScores(t, s, Default()), rest, held, 10), ndcg(popularity(rest), rest, held, 10))
		t.Logf("shop %d: %.3f above popularity, 95%% from %.3f to %.3f", seed+1, middle, low, high)
		if low >= 0 {
			t.Errorf("shop %d: learned %.3f to %.3f above popularity from ratings that are noise", seed+1, low, high)
		}
	}
}

// Customers without any rating are ranked by the map of their features, and customers with ratings by their vectors.
func TestQualityForUnseenCustomers(t *testing.T) {
	var mapped, popular float64
	const seeds = 4
	for seed := range uint64(seeds) {
		o := sampleshop.Default()
		o.Seed = seed + 1
		s, _ := sampleShop(t, o)
		rest, held := s.Ratings.Split(func(row, _ int) bool { return row%5 == 0 })
		s.Ratings = rest
		scores := learnedScores(t, s, Default())
		mapped += mean(ndcg(scores, rest, held, 10)) / seeds
		popular += mean(ndcg(popularity(rest), rest, held, 10)) / seeds
	}
	t.Logf("unseen customers: NDCG@10 %.3f, popularity %.3f", mapped, popular)
	if mapped < 1.3*popular {
		t.Errorf("unseen customers: NDCG@10 %.3f, popularity %.3f", mapped, popular)
	}
}

func TestQualityOfClassicModels(t *testing.T) {
	file, err := os.ReadFile(learntest.Beside(t, "../../..", "classicmodels/expected_ratings_ml_training.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s := dataOf(learntest.Read(t, file))
	for split := range uint64(3) {
		data := s
		rest, held := holdOut(s.Ratings, split)
		data.Ratings = rest
		learned, popular := ndcg(learnedScores(t, data, Default()), rest, held, 10), ndcg(popularity(rest), rest, held, 10)
		t.Logf("split %d: NDCG@10 %.3f, popularity %.3f", split, mean(learned), mean(popular))
		if mean(learned) < 0.6 {
			t.Errorf("split %d: NDCG@10 %.3f", split, mean(learned))
		}

		rest, held = holdOut(swapped(s.Ratings, split), split)
		data.Ratings = rest
		low, middle, high := gain(ndcg(learnedScores(t, data, Default()), rest, held, 10), ndcg(popularity(rest), rest, held, 10))
		t.Logf("split %d, pairs swapped: %.3f above popularity, 95%% from %.3f to %.3f", split, middle, low, high)
		if low >= 0 {
			t.Errorf("split %d: learned %.3f to %.3f above popularity from pairs that are chance", split, low, high)
		}
	}
}

func TestQualityInMovieLensShape(t *testing.T) {
	if !testbed.Long() {
		t.Skip("fits a million ratings: go test ./shared/learn/als -run MovieLens -long")
	}
	data := movieLens1M()
	rest, held := holdOut(data.Ratings, 0)
	_, held = held.Split(func(row, _ int) bool { return row%8 == 0 }) // those who are asked
	data.Ratings = rest
	learned, popular := learnedScores(t, data, Default()), popularity(rest)
	n, p := mean(ndcg(learned, rest, held, 20)), mean(ndcg(popular, rest, held, 20))
	rn, rp := mean(recall(learned, rest, held, 20)), mean(recall(popular, rest, held, 20))
	t.Logf("NDCG@20 %.3f, popularity %.3f; recall@20 %.3f, popularity %.3f", n, p, rn, rp)
	if n < 1.05*p || rn < 1.05*rp {
		t.Errorf("NDCG@20 %.3f, popularity %.3f; recall@20 %.3f, popularity %.3f", n, p, rn, rp)
	}
}

func sampleShop(t testing.TB, o sampleshop.Options) (data Data, scores []float32) {
	t.Helper()
	s, truth := learntest.Sample(t, o)
	scores = make([]float32, len(s.Customers)*len(s.Products))
	for c := range s.Customers {
		truth.Score(scores[c*len(s.Products):][:len(s.Products)], []int32{int32(c)})
	}
	return dataOf(s), scores
}

func dataOf(s learntest.Shop) Data { return Data{s.Ratings, s.Users, s.Items} }

// holdOut parts a fifth of the ratings, by chance that belongs to customer and item.
func holdOut(m *sparse.Matrix, seed uint64) (rest, held *sparse.Matrix) {
	return m.Split(func(row, column int) bool {
		return rand.New(rand.NewPCG(seed, uint64(row)<<32|uint64(column))).IntN(5) == 0
	})
}

// swapped has the same number of ratings in every row and column, and is chance otherwise: pairs of entries swap their columns.
func swapped(m *sparse.Matrix, seed uint64) *sparse.Matrix {
	r := rand.New(rand.NewPCG(seed, 1))
	type pair struct{ row, column int32 }
	var pairs []pair
	taken := map[pair]bool{}
	for row := range m.Rows() {
		columns, _ := m.Row(row)
		for _, column := range columns {
			pairs = append(pairs, pair{int32(row), column})
			taken[pairs[len(pairs)-1]] = true
		}
	}
	for range 20 * len(pairs) {
		a, b := &pairs[r.IntN(len(pairs))], &pairs[r.IntN(len(pairs))]
		x, y := pair{a.row, b.column}, pair{b.row, a.column}
		if taken[x] || taken[y] {
			continue
		}
		delete(taken, *a)
		delete(taken, *b)
		taken[x], taken[y] = true, true
		*a, *b = x, y
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.column, b.column)) })
	s := &sparse.Matrix{Width: m.Width, Start: m.Start, Ratings: m.Ratings}
	for _, p := range pairs {
		s.Columns = append(s.Columns, p.column)
	}
	return s
}

func learnedScores(t testing.TB, data Data, o Options) []float32 {
	t.Helper()
	f, err := Fit(t.Context(), data, o, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, data.Ratings.Rows()*data.Ratings.Width)
	dense.Scores(scores, f.Users, f.Items, f.Dimension)
	return scores
}

func popularity(rest *sparse.Matrix) []float32 {
	counts := make([]float32, rest.Width)
	for _, i := range rest.Columns {
		counts[i]++
	}
	return slices.Repeat(counts, rest.Rows())
}

// ranked calls for each customer with held-out ratings, with the first items by score of those not rated. All customers
// are looked at whose ratings remain in part, or else all.
func ranked(scores []float32, rest, held *sparse.Matrix, at int, each func(best []int, wanted []int32)) {
	for c := range rest.Rows() {
		known, _ := rest.Row(c)
		wanted, _ := held.Row(c)
		if len(wanted) == 0 {
			continue
		}
		row := scores[c*rest.Width : (c+1)*rest.Width]
		var order []int
		for i := range row {
			if _, rated := slices.BinarySearch(known, int32(i)); !rated {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
		each(order[:min(at, len(order))], wanted)
	}
}

func ndcg(scores []float32, rest, held *sparse.Matrix, at int) (values []float64) {
	ranked(scores, rest, held, at, func(best []int, wanted []int32) {
		gain, ideal := 0.0, 0.0
		for rank, i := range best {
			if _, found := slices.BinarySearch(wanted, int32(i)); found {
				gain += 1 / math.Log2(float64(rank+2))
			}
			if rank < len(wanted) {
				ideal += 1 / math.Log2(float64(rank+2))
			}
		}
		values = append(values, gain/ideal)
	})
	return values
}

func recall(scores []float32, rest, held *sparse.Matrix, at int) (values []float64) {
	ranked(scores, rest, held, at, func(best []int, wanted []int32) {
		hits := 0
		for _, i := range best {
			if _, found := slices.BinarySearch(wanted, int32(i)); found {
				hits++
			}
		}
		values = append(values, float64(hits)/float64(min(at, len(wanted))))
	})
	return values
}

func mean(x []float64) (sum float64) {
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

// gain is the mean of a - b with its 95 % interval by the paired bootstrap.
func gain(a, b []float64) (low, middle, high float64) {
	r := rand.New(rand.NewPCG(1, 1))
	var means []float64
	for range 2000 {
		sum := 0.0
		for range a {
			i := r.IntN(len(a))
			sum += a[i] - b[i]
		}
		means = append(means, sum/float64(len(a)))
	}
	slices.Sort(means)
	return means[50], mean(a) - mean(b), means[1949]
}
