package model_test

import (
	"fmt"

	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/model"
)

// A linear model of two dimensions is written as the training step writes it. Then it is read and asked about a visitor
// who has never bought anything.
func ExampleRead() {
	encoders := model.FitEncoders(
		[]model.User{{City: "Oslo", Country: "Norway", CreditLimit: 10_000}, {City: "Paris", Country: "France", CreditLimit: 20_000}},
		[]model.Item{{Line: "Planes", Scale: "1:72", BuyPrice: 10, MSRP: 20}, {Line: "Ships", Scale: "1:18", BuyPrice: 30, MSRP: 50}})
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
	undirected, err := m.Embed(vectors, []model.User{{City: " OSLO", Country: "Norway"}, {City: "Rome", Country: "Italy"}})
	fmt.Println(vectors, "without a direction:", undirected, err)
	// Output:
	// [1 2 0 0] without a direction: [1] <nil>
}

// A file of another kind is refused with advice.
func ExampleUnsupported() {
	_, err := model.Read(model.Files{Linear: []byte("a pickle, perhaps")})
	fmt.Println(err)
	// Output:
	// model/linear_model.bin holds no linear model of this pipeline; it is written by the training step alone
}
