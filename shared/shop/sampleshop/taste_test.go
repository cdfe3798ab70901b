package sampleshop

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"
	"testing"
)

// pairs looks at all ratings of a shop beside the truth: the mean affinity of rated pairs, the mean over all
// pairs, and the correlation of rating and affinity.
func pairs(t *testing.T, o Options) (rated, all, correlation float64) {
	t.Helper()
	var truthJSON, training bytes.Buffer
	if err := WriteTruth(&truthJSON, o); err != nil {
		t.Fatal(err)
	}
	var truth Truth
	if err := json.Unmarshal(truthJSON.Bytes(), &truth); err != nil {
		t.Fatal(err)
	}
	if err := WriteTraining(&training, o); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&training).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	customers, products := map[string]CustomerFactors{}, map[string]ProductFactors{}
	for _, p := range truth.ProductFactors {
		products[p.ProductCode] = p
	}
	for _, c := range truth.CustomerFactors {
		customers[strconv.Itoa(c.CustomerNumber)] = c
		for _, p := range truth.ProductFactors {
			all += Affinity(c, p) / float64(len(truth.CustomerFactors)*len(truth.ProductFactors))
		}
	}
	var affinities, values []float64
	for _, r := range records[1:] {
		value, err := strconv.ParseFloat(r[12], 64)
		if err != nil {
			t.Fatal(err)
		}
		affinities, values = append(affinities, Affinity(customers[r[0]], products[r[6]])), append(values, value)
	}
	return mean(affinities), all, correlate(affinities, values)
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

func correlate(x, y []float64) float64 {
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy, xx, yy = xy+(x[i]-mx)*(y[i]-my), xx+(x[i]-mx)*(x[i]-mx), yy+(y[i]-my)*(y[i]-my)
	}
	return xy / math.Sqrt(xx*yy)
}

func TestRatingsFollowTaste(t *testing.T) {
	for _, test := range []struct{ strength, gap, correlation float64 }{{0.5, 0.15, 0.2}, {1, 0.25, 0.35}, {3, 0.35, 0.5}} {
		o := Default()
		o.TasteStrength = test.strength
		rated, all, correlation := pairs(t, o)
		t.Logf("strength %v: affinity %.3f of rated pairs, %.3f of all; correlation with the rating %.3f", test.strength, rated, all, correlation)
		if rated-all < test.gap || correlation < test.correlation {
			t.Errorf("strength %v: rated pairs are only %.3f above all (%.3f), correlation %.3f", test.strength, rated-all, all, correlation)
		}
	}
}

func TestStrengthZeroIsNoise(t *testing.T) {
	o := Default()
	o.TasteStrength, o.Customers, o.Ratings = 0, 2_000, 40_000
	rated, all, correlation := pairs(t, o)
	t.Logf("affinity %.4f of rated pairs, %.4f of all; correlation %.4f", rated, all, correlation)
	if math.Abs(rated-all) > 0.02 || math.Abs(correlation) > 0.02 {
		t.Errorf("affinity %.4f of rated pairs, %.4f of all, correlation %.4f: want no difference", rated, all, correlation)
	}
}

func TestTasteFollowsFeatures(t *testing.T) {
	truth, err := TruthOf(Default())
	if err != nil {
		t.Fatal(err)
	}
	s, err := newShop(Default())
	if err != nil {
		t.Fatal(err)
	}
	var same, other []float64
	c := newChance(s.Seed)
	for i, a := range truth.CustomerFactors {
		for j, b := range truth.CustomerFactors[:i] {
			likeness := taste(a.Factors).affinity(b.Factors)
			if cities[s.customer(c, i).place].country == cities[s.customer(c, j).place].country {
				same = append(same, likeness)
			} else {
				other = append(other, likeness)
			}
		}
	}
	if mean(same)-mean(other) < 0.3 {
		t.Errorf("customers of one country are %.3f alike, of different ones %.3f", mean(same), mean(other))
	}
}
