// Package learntest reads shops to learn from, for tests of the quality of what is learned.
package learntest

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recsys/shared/contract/shape"
	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/model"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/sampleshop"
)

// Shop is training rows as they are trained on, with the numbers and codes of rows and columns.
type Shop struct {
	Ratings      *sparse.Matrix // customers by items
	Users, Items *coldstart.Features
	Customers    []int
	Products     []string
}

// Read reads training rows in CSV: columns by name in any case, blanks around, CRLF or LF.
func Read(t testing.TB, file []byte) (s Shop) {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	users, items, ratings := map[int]model.Record{}, map[string]model.Record{}, map[int]map[string]uint16{}
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[strings.ToLower(name)] = strings.TrimSpace(record[i])
		}
		customer, product := int(number(row["customernumber"])), row["productcode"]
		users[customer] = model.Record{Texts: []string{row["city"], row["country"]}, Numbers: []float64{number(row["creditlimit"])}}
		items[product] = model.Record{Texts: []string{row["productline"], row["productscale"]}, Numbers: []float64{number(row["buyprice"]), number(row["msrp"])}}
		if ratings[customer] == nil {
			ratings[customer] = map[string]uint16{}
		}
		ratings[customer][product] = uint16(100 * number(row["productrating"]))
	}
	var u, i *model.Table
	s.Customers, u = inOrder(users, shape.Lab.CustomerColumns)
	s.Products, i = inOrder(items, shape.Lab.ProductColumns)
	encoders := model.FitEncoders(u, i)
	s.Users, s.Items = encoders.Users(u), encoders.Items(i)
	s.Ratings = &sparse.Matrix{Width: i.Rows(), Start: []int64{0}}
	column := map[string]int32{}
	for at, product := range s.Products {
		column[product] = int32(at)
	}
	for _, customer := range s.Customers {
		for _, product := range slices.Sorted(maps.Keys(ratings[customer])) {
			s.Ratings.Columns, s.Ratings.Ratings = append(s.Ratings.Columns, column[product]), append(s.Ratings.Ratings, ratings[customer][product])
		}
		s.Ratings.Start = append(s.Ratings.Start, int64(len(s.Ratings.Columns)))
	}
	return s
}

func inOrder[K cmp.Ordered](m map[K]model.Record, columns []shape.Column) (keys []K, values *model.Table) {
	keys, values = slices.Sorted(maps.Keys(m)), model.NewTable(model.ColumnsOf(columns))
	for _, k := range keys {
		values.Add(m[k])
	}
	return keys, values
}

func number(text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}

// Truth scores the products of a sample shop as its customers choose, see sampleshop's taste.go. It is a model of package
// evaluation.
type Truth struct {
	taste     float64
	customers []sampleshop.CustomerFactors
	products  []sampleshop.ProductFactors
}

// Score writes the scores of all products for each of the customers, row by row.
func (s Truth) Score(dst []float32, customers []int32) {
	for i, customer := range customers {
		for k, product := range s.products {
			appeal := 2.5*s.taste*sampleshop.Affinity(s.customers[customer], product) + 0.5*product.Popularity
			dst[i*len(s.products)+k] = float32(appeal)
		}
	}
}

// Sample draws a sample shop.
func Sample(t testing.TB, o sampleshop.Options) (Shop, Truth) {
	t.Helper()
	var file bytes.Buffer
	if err := sampleshop.WriteTraining(&file, o); err != nil {
		t.Fatal(err)
	}
	s, truth := Read(t, file.Bytes()), Truth{taste: o.TasteStrength}
	known, err := sampleshop.TruthOf(o)
	if err != nil {
		t.Fatal(err)
	}
	customers, products := map[int]sampleshop.CustomerFactors{}, map[string]sampleshop.ProductFactors{}
	for _, c := range known.CustomerFactors {
		customers[c.CustomerNumber] = c
	}
	for _, p := range known.ProductFactors {
		products[p.ProductCode] = p
	}
	for _, c := range s.Customers {
		truth.customers = append(truth.customers, customers[c])
	}
	for _, p := range s.Products {
		truth.products = append(truth.products, products[p])
	}
	return s, truth
}

// Beside returns the address of a data set that lies next to a developer's checkout, because the project may not distribute it.
// up is the way from the package to the root of the checkout.
func Beside(t testing.TB, up, path string) string {
	t.Helper()
	path = up + "/../shared/data/" + path
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s lies beside the checkout and is absent here", path)
	}
	return path
}

// Pairs reads a public data set: a line for each customer, the customer's number and those of the products. Each pair counts as
// a rating of 3.
func Pairs(t testing.TB, path string) *sparse.Matrix {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	m := &sparse.Matrix{Start: []int64{0}}
	for customer := 0; lines.Scan(); customer++ {
		var products []int32
		for i, field := range strings.Fields(lines.Text()) {
			n, err := strconv.ParseInt(field, 10, 32)
			if err != nil || i == 0 && int(n) != customer {
				t.Fatalf("line %d: %q is not expected", customer+1, field)
			}
			if i > 0 {
				products = append(products, int32(n))
				m.Width = max(m.Width, int(n)+1)
			}
		}
		slices.Sort(products)
		for _, p := range slices.Compact(products) {
			m.Columns, m.Ratings = append(m.Columns, p), append(m.Ratings, 3*sparse.Star)
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}
