package versiontest

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/als"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/model"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// Trained is a version as functions/train makes it, with the factors that ALS and the neighbours that item kNN learn.
type Trained struct {
	Version
	Linear []byte // the model for customers without a vector
}

// LargeSample is the shop of the benchmarks: 16,000 customers and 10,000 products.
func LargeSample() sampleshop.Options {
	o := sampleshop.Default()
	o.Customers, o.Products, o.Ratings, o.OmitOrders = 16_000, 10_000, 400_000, true
	return o
}

// rating is a line of sampleshop.WriteTraining.
type rating struct {
	customer int32
	product  string
	stars    int
}

// Train generates a shop and trains on it as functions/train does, with the default options.
func Train(tb testing.TB, o sampleshop.Options) (shop Trained) {
	tb.Helper()
	users, items := map[int32]model.Record{}, map[string]model.Record{}
	counted := map[[2]string]int64{}
	var ratings []rating
	number := func(text string) float64 {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return math.NaN()
		}
		return x
	}
	readCSV(tb, func(w io.Writer) error { return sampleshop.WriteProducts(w, o) }, func(row map[string]string) {
		items[row["productCode"]] = model.Record{Texts: []string{row["productLine"], row["productScale"]}, Numbers: []float64{number(row["buyPrice"]), number(row["MSRP"])}}
		shop.Attributes = append(shop.Attributes, []any{row["productCode"], row["productLine"], int32(number(row["quantityInStock"]))})
	})
	readCSV(tb, func(w io.Writer) error { return sampleshop.WriteTraining(w, o) }, func(row map[string]string) {
		customer := int32(number(row["customerNumber"]))
		users[customer] = model.Record{Texts: []string{row["city"], row["country"]}, Numbers: []float64{number(row["creditLimit"])}}
		ratings = append(ratings, rating{customer, row["productCode"], int(100 * number(row["productRating"]))})
		shop.Rated = append(shop.Rated, []any{customer, row["productCode"]})
		counted[[2]string{vectorstore.CountryKey(row["country"]), row["productCode"]}]++
	})
	for key, count := range counted {
		shop.Popularity = append(shop.Popularity, []any{key[0], key[1], count})
	}
	shop.fit(tb, users, items, ratings)
	return shop
}

func readCSV(tb testing.TB, write func(io.Writer) error, use func(row map[string]string)) {
	tb.Helper()
	var text bytes.Buffer
	if err := write(&text); err != nil {
		tb.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		use(row)
	}
}

func (shop *Trained) fit(tb testing.TB, users map[int32]model.Record, items map[string]model.Record, ratings []rating) {
	tb.Helper()
	customers, products := slices.Sorted(maps.Keys(users)), slices.Sorted(maps.Keys(items))
	u, p := model.NewTable(model.ColumnsOf(shape.Lab.CustomerColumns)), model.NewTable(model.ColumnsOf(shape.Lab.ProductColumns))
	column, row := map[string]int32{}, map[int32][]rating{}
	for i, code := range products {
		column[code] = int32(i)
		p.Add(items[code])
	}
	for _, r := range ratings {
		row[r.customer] = append(row[r.customer], r)
	}
	matrix := &sparse.Matrix{Width: len(products), Start: []int64{0}}
	for _, customer := range customers {
		u.Add(users[customer])
		slices.SortFunc(row[customer], func(a, b rating) int { return int(column[a.product] - column[b.product]) })
		for _, r := range row[customer] {
			matrix.Columns, matrix.Ratings = append(matrix.Columns, column[r.product]), append(matrix.Ratings, uint16(r.stars))
		}
		matrix.Start = append(matrix.Start, int64(len(matrix.Columns)))
	}
	encoders := model.FitEncoders(u, p)
	options := als.Default()
	options.Factors = 128
	factors, err := als.Fit(tb.Context(), als.Data{Ratings: matrix, Users: encoders.Users(u), Items: encoders.Items(p)}, options, nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if shop.Linear, err = model.WriteLinear(encoders, factors.UserMap, factors.ItemMap); err != nil {
		tb.Fatal(err)
	}
	table, err := neighbours.KNN(tb.Context(), matrix, neighbours.DefaultKNN())
	if err != nil {
		tb.Fatal(err)
	}
	shop.Neighbours = &blend.Neighbours{Kind: lake.KNN, Beta: 0.4, Items: products, Table: table}
	shop.Metric, shop.Items, shop.Users, shop.Whole = distance.InnerProduct, map[string][]float32{}, map[int32][]float32{}, true
	for i, code := range products {
		shop.Items[code] = factors.Items[i*factors.Dimension:][:factors.Dimension]
	}
	for i, customer := range customers {
		shop.Users[customer] = factors.Users[i*factors.Dimension:][:factors.Dimension]
	}
}

// LoadTrained is Load for a version that functions/train has made.
func LoadTrained(tb testing.TB, loader *pgxpool.Pool, artifacts *objectstore.Store, shop Trained) int64 {
	tb.Helper()
	ctx, number := context.WithoutCancel(tb.Context()), Load(tb, loader, artifacts, shop.Version)
	if _, err := artifacts.Put(ctx, lake.VersionKey(number, lake.LinearModelKey), bytes.NewReader(shop.Linear)); err != nil {
		tb.Fatal(err)
	}
	sql := fmt.Sprintf(`update %s set has_model = true, artifacts = artifacts || '{%q: "x"}' where version = $1`, vectorstore.VersionTable, lake.TrainingKey)
	if _, err := loader.Exec(ctx, sql, number); err != nil {
		tb.Fatal(err)
	}
	return number
}
