package als

import (
	"bytes"
	"context"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recsys/shared/coldstart"
	"recsys/shared/dense"
	"recsys/shared/interactions"
	"recsys/shared/sampleshop"
)

// shop is training rows as a matrix, with the lines of the first rating of each customer and item.
type shop struct {
	matrix           *interactions.Matrix
	customers, items []string
	customer, item   map[string]map[string]string // by id, then by lower-case column
	users, goods     *coldstart.Features
}

func readShop(t testing.TB, data []byte) shop {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	s := shop{customer: map[string]map[string]string{}, item: map[string]map[string]string{}}
	values := map[[2]string]uint8{}
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[strings.ToLower(name)] = strings.TrimSpace(record[i])
		}
		c, p := row["customernumber"], row["productcode"]
		s.customer[c], s.item[p] = row, row
		rating, err := strconv.Atoi(row["productrating"])
		if err != nil {
			t.Fatal(err)
		}
		values[[2]string{c, p}] = uint8(rating)
	}
	for c := range s.customer {
		s.customers = append(s.customers, c)
	}
	for p := range s.item {
		s.items = append(s.items, p)
	}
	slices.SortFunc(s.customers, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	slices.Sort(s.items)
	s.matrix = &interactions.Matrix{Width: len(s.items), Start: []int64{0}}
	for _, c := range s.customers {
		for i, p := range s.items {
			if v, ok := values[[2]string{c, p}]; ok {
				s.matrix.Columns, s.matrix.Ratings = append(s.matrix.Columns, int32(i)), append(s.matrix.Ratings, v)
			}
		}
		s.matrix.Start = append(s.matrix.Start, int64(len(s.matrix.Columns)))
	}
	s.users = encode(s.customers, s.customer, []string{"creditlimit"}, []string{"city", "country"}, false)
	s.goods = encode(s.items, s.item, []string{"buyprice", "msrp"}, []string{"productline", "productscale"}, true)
	return s
}

// encode scales numbers and writes categories one-hot, lower-cased.
func encode(ids []string, of map[string]map[string]string, numbers, categories []string, logs bool) *coldstart.Features {
	f := &coldstart.Features{Start: []int64{0}}
	column := map[string]int32{}
	table := make([][]float64, len(numbers))
	for k, name := range numbers {
		for _, id := range ids {
			v, err := strconv.ParseFloat(of[id][name], 64)
			if logs {
				v = math.Log1p(v)
			}
			if err != nil {
				v = math.NaN()
			}
			table[k] = append(table[k], v)
		}
		sum, squares, n := 0.0, 0.0, 0.0
		for _, v := range table[k] {
			if !math.IsNaN(v) {
				sum, squares, n = sum+v, squares+v*v, n+1
			}
		}
		deviation := math.Sqrt(squares/n - sum/n*sum/n)
		for i, v := range table[k] {
			table[k][i] = (v - sum/n) / deviation
		}
	}
	f.Width = len(numbers)
	for row, id := range ids {
		for k := range numbers {
			if v := table[k][row]; !math.IsNaN(v) {
				f.Columns, f.Values = append(f.Columns, int32(k)), append(f.Values, float32(v))
			}
		}
		for _, name := range categories {
			key := name + strings.ToLower(of[id][name])
			if _, ok := column[key]; !ok {
				column[key] = int32(f.Width)
				f.Width++
			}
			f.Columns, f.Values = append(f.Columns, column[key]), append(f.Values, 1)
		}
		f.Start = append(f.Start, int64(len(f.Columns)))
	}
	return f
}

func sampleShop(t testing.TB, o sampleshop.Options) (s shop, truth []float32) {
	t.Helper()
	var data bytes.Buffer
	if err := sampleshop.WriteTraining(&data, o); err != nil {
		t.Fatal(err)
	}
	s = readShop(t, data.Bytes())
	known, err := sampleshop.TruthOf(o)
	if err != nil {
		t.Fatal(err)
	}
	customers, products := map[string]sampleshop.CustomerFactors{}, map[string]sampleshop.ProductFactors{}
	for _, c := range known.CustomerFactors {
		customers[strconv.Itoa(c.CustomerNumber)] = c
	}
	for _, p := range known.ProductFactors {
		products[p.ProductCode] = p
	}
	for _, c := range s.customers {
		for _, p := range s.items {
			truth = append(truth, float32(2.5*o.TasteStrength*sampleshop.Affinity(customers[c], products[p])+0.5*products[p].Popularity))
		}
	}
	return s, truth
}

// holdOut parts a fifth of the ratings by a hash of customer and item.
func holdOut(m *interactions.Matrix, seed uint64) (rest, held *interactions.Matrix) {
	return m.Split(func(row, column int) bool {
		return rand.New(rand.NewPCG(seed, uint64(row)<<32|uint64(column))).IntN(5) == 0
	})
}

// ndcg is NDCG@10 of each customer with held-out and remaining ratings, by scores customers × items.
func ndcg(scores []float32, rest, held *interactions.Matrix, at int) (values []float64) {
	for c := range rest.Rows() {
		known, _ := rest.Row(c)
		wanted, _ := held.Row(c)
		if len(known) == 0 || len(wanted) == 0 {
			continue
		}
		row := slices.Clone(scores[c*rest.Width : (c+1)*rest.Width])
		for _, i := range known {
			row[i] = float32(math.Inf(-1))
		}
		order := make([]int, len(row))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case row[a] > row[b]:
				return -1
			case row[a] < row[b]:
				return 1
			}
			return 0
		})
		gain, ideal := 0.0, 0.0
		for rank, i := range order[:min(at, len(order))] {
			if _, found := slices.BinarySearch(wanted, int32(i)); found {
				gain += 1 / math.Log2(float64(rank+2))
			}
			if rank < len(wanted) {
				ideal += 1 / math.Log2(float64(rank+2))
			}
		}
		values = append(values, gain/ideal)
	}
	return values
}

func mean(x []float64) (sum float64) {
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

func popularity(rest *interactions.Matrix) []float32 {
	counts := make([]float32, rest.Width)
	for _, i := range rest.Columns {
		counts[i]++
	}
	return slices.Concat(slices.Repeat([][]float32{counts}, rest.Rows())...)
}

func learnedScores(t testing.TB, s shop, rest *interactions.Matrix, o Options) []float32 {
	t.Helper()
	f, err := Fit(context.Background(), Data{rest, s.users, s.goods}, o, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, rest.Rows()*rest.Width)
	dense.Scores(scores, f.Users, f.Items, f.Dimension)
	return scores
}
