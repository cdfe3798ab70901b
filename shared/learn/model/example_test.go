package model_test

import (
	"fmt"
	"math"

	"recsys/shared/contract/shape"
	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/model"
)

// A linear model of two dimensions is written as the training step writes it. Then it is read and asked about a visitor
// who has never bought anything.
func ExampleRead() {
	customers, products := model.NewTable(model.ColumnsOf(shape.Lab.CustomerColumns)), model.NewTable(model.ColumnsOf(shape.Lab.ProductColumns))
	customers.Add(model.Record{Texts: []string{"Oslo", "Norway"}, Numbers: []float64{10_000}})
	customers.Add(model.Record{Texts: []string{"Paris", "France"}, Numbers: []float64{20_000}})
	products.Add(model.Record{Texts: []string{"Planes", "1:72"}, Numbers: []float64{10, 20}})
	products.Add(model.Record{Texts: []string{"Ships", "1:18"}, Numbers: []float64{30, 50}})
	encoders := model.FitEncoders(customers, products)
	users := coldstart.Map{Dimension: 2, Weights: []float32{
		0, 0, // bias
		0, 0, // credit limit
		1, 0, // Oslo
		0, 1, // Paris
		2, 0, // France
		0, 2, // Norway
	}}
	items := coldstart.Map{Dimension: 2, Weights: make([]float32, 7*2)}
	file, err := model.WriteLinear(encoders, users, items)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := model.Read(model.Files{Linear: file})
	if err != nil {
		fmt.Println(err)
		return
	}
	vectors := make([]float32, 2*m.Dimension())
	fmt.Println(m.UserColumns().Texts, m.UserColumns().Numbers)
	undirected, err := m.Embed(vectors, []model.Record{
		{Texts: []string{" OSLO", "Norway"}, Numbers: []float64{math.NaN()}}, {Texts: []string{"Rome", "Italy"}, Numbers: []float64{math.NaN()}}})
	fmt.Println(vectors, "without a direction:", undirected, err)
	// Output:
	// [city country] [creditLimit]
	// [1 2 0 0] without a direction: [1] <nil>
}

// A file of another kind is refused with advice.
func ExampleUnsupported() {
	_, err := model.Read(model.Files{Linear: []byte("a pickle, perhaps")})
	fmt.Println(err)
	// Output:
	// model/linear_model.bin holds no linear model of this pipeline; it is written by the training step alone
}
