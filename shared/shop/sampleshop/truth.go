package sampleshop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// TruthLimit bounds WriteTruth: only this many customers and products are listed, the first ones.
const TruthLimit = 10_000

// Truth is the output of WriteTruth, as one JSON object. A customer's true affinity to a product is the dot product
// of their factors, -1 to 1. The higher it is, the sooner it is bought and the better it is rated. If TasteStrength
// is 0, the factors are there and mean nothing.
type Truth struct {
	Seed          uint64  `json:"seed"`
	TasteStrength float64 `json:"tasteStrength"`
	Customers     int     `json:"customers"` // in the shop. Over TruthLimit, fewer are listed
	Products      int     `json:"products"`  // likewise
	Ratings       int     `json:"ratings"`
	// CustomerFactors and ProductFactors are in ascending order of number and code.
	CustomerFactors []CustomerFactors `json:"customerFactors"`
	ProductFactors  []ProductFactors  `json:"productFactors"`
}

// CustomerFactors is the taste of one customer, of length 1.
type CustomerFactors struct {
	CustomerNumber int              `json:"customerNumber"`
	Factors        [Factors]float64 `json:"factors"`
}

// ProductFactors is the taste of one product, of length 1, and its popularity apart from taste (mean 0, variance 1).
type ProductFactors struct {
	ProductCode string           `json:"productCode"`
	Factors     [Factors]float64 `json:"factors"`
	Popularity  float64          `json:"popularity"`
}

// Affinity is the true affinity of a customer and a product.
func Affinity(c CustomerFactors, p ProductFactors) float64 {
	return taste(c.Factors).affinity(p.Factors)
}

// TruthOf is the truth behind a shop. Errors are those of Validate.
func TruthOf(o Options) (Truth, error) {
	s, err := newShop(o)
	if err != nil {
		return Truth{}, err
	}
	t := Truth{Seed: o.Seed, TasteStrength: o.TasteStrength, Customers: o.Customers, Products: o.Products, Ratings: o.Ratings}
	c := newChance(o.Seed)
	for i := range min(o.Customers, TruthLimit) {
		u := s.customer(c, i)
		t.CustomerFactors = append(t.CustomerFactors, CustomerFactors{u.number, u.taste})
	}
	for i := range min(o.Products, TruthLimit) {
		p := &s.products[i]
		t.ProductFactors = append(t.ProductFactors, ProductFactors{p.code, p.taste, p.popularity})
	}
	return t, nil
}

// WriteTruth writes TruthOf as JSON. Errors are those of Validate and of w.
func WriteTruth(w io.Writer, o Options) error {
	t, err := TruthOf(o)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(w)
	if err := json.NewEncoder(buffered).Encode(t); err != nil {
		return fmt.Errorf("writing the sample shop's truth: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing the sample shop's truth: %w", err)
	}
	return nil
}
