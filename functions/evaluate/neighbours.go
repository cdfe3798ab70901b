package main

import (
	"context"

	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
)

// Bounds of item kNN, which is measured for the report. Next to the evaluation's own memory it takes 16 bytes an entry
// and 6 bytes a pair, 0.4 GB at most. A step takes about a nanosecond of a core.
const (
	mostEntries = 16_000_000     // products × neighbours
	mostPairs   = 20_000_000     // pairs of a customer and a product that are not held out
	mostSteps   = 20_000_000_000 // pairs of products that a customer has, of all customers
)

// measureNeighbours measures item kNN with fixed settings, which learns from the pairs that are not held out. In a shop
// over the bounds it returns nil and says so in the report.
func (m *measurement) measureNeighbours(ctx context.Context) (*evaluation.Result, error) {
	options := neighbours.DefaultKNN()
	if entries, pairs, steps := m.Train.Width*options.Neighbours, len(m.Train.Columns), steps(m.Train); entries > mostEntries || pairs > mostPairs || steps > mostSteps {
		m.remark("Item kNN is not measured, so gateNeighbours does not decide: %d entries, %d pairs and %d steps, of at most %d, %d and %d.",
			entries, pairs, steps, mostEntries, mostPairs, mostSteps)
		return nil, nil
	}
	table, err := neighbours.KNN(ctx, m.Train, options)
	if err != nil {
		return nil, err
	}
	result, err := m.evaluate(ctx, neighbours.Scores{Table: table, Customers: m.Train})
	return &result, err
}

// steps returns how many pairs of products item kNN looks at: a customer's number of products, squared and summed.
func steps(pairs *sparse.Matrix) (n int) {
	for customer := range pairs.Rows() {
		products := int(pairs.Start[customer+1] - pairs.Start[customer])
		n += products * products
	}
	return n
}
