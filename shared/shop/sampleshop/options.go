// Package sampleshop makes up a shop in the classicmodels schema: a database to try the pipeline on, with a known
// truth.
//
// Promise: the same Options give the same bytes, on every machine. The rows are consistent: foreign keys hold, and
// customers rate only products that they ordered. Memory grows with the number of products, not with customers or
// ratings, so tens of millions of ratings can be streamed. All names are invented, none is copied.
//
// Customers have tastes (see taste.go). Purchases and ratings follow them, as strongly as Options.TasteStrength says.
// WriteTruth writes the factors behind them, so that a trained model can be compared with the truth.
//
// The data has the warts of real data: trailing blanks, upper and lower case, missing states, postal codes and credit
// limits. It has empty strings instead of NULL, apostrophes and letters outside ASCII. Some customers have no orders,
// and one product was never bought.
//
// Reads nothing. Writes MySQL statements, CSV, JSON and JSON lines to an io.Writer, or files (WriteFiles).
package sampleshop

import (
	"recsys/shared/contract/option"
	"recsys/shared/contract/settings"
)

// Options describe a shop. Start from Default, because the zero value is not valid.
type Options struct {
	// SampleShop has the seed, the sizes and the strength of the tastes, with their defaults and their bounds.
	settings.SampleShop
	// OmitOrders leaves orders, orderdetails and payments empty, because a load test of ratings does not need them.
	OmitOrders bool
}

// Default is the shop of the committed sample: seed 1, 122 customers, 110 products, 2,500 ratings, taste
// strength 1, with orders, in a database named classicmodels.
func Default() Options { return Options{SampleShop: settings.Default[settings.SampleShop]()} }

// DefaultSessions is how many activity sessions WriteFiles writes unless told otherwise.
const DefaultSessions = 100

// Validate reports every option that is out of its bounds, all at once.
func (o Options) Validate() error { return option.Check(o.SampleShop) }
