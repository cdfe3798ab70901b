// Package sampleshop makes up a shop in the classicmodels schema: a database to try the pipeline on, whose
// truth is known.
//
// Promise: the same Options give the same bytes, on every machine; the rows are consistent (foreign keys
// hold, a customer rates only what they ordered); memory grows with the number of products and not with
// customers or ratings, so that tens of millions of ratings can be streamed. All names are invented, none
// is copied.
//
// Customers have tastes (see taste.go): who rates what follows them, and so does the rating, as strongly as
// Options.TasteStrength says. The factors behind it are written by WriteTruth, so that a model trained on
// the ratings can be compared with what is really there.
//
// The data has the warts of real data: trailing blanks, upper and lower case, missing states, postal codes
// and credit limits, empty strings instead of NULL, apostrophes and letters outside ASCII, customers
// without orders, and one product that nobody bought.
//
// Reads nothing. Writes MySQL statements, CSV, JSON and JSON lines to an io.Writer, or files (WriteFiles).
package sampleshop

import (
	"recsys/shared/contract/option"
	"recsys/shared/contract/settings"
)

// Options say what shop to make. Start from Default; the zero value is not valid.
type Options struct {
	// SampleShop has the seed, the sizes and the strength of the tastes, with their defaults and their bounds.
	settings.SampleShop
	// OmitOrders leaves orders, orderdetails and payments empty: what a load test of ratings does not need.
	OmitOrders bool
}

// Default is the shop of the committed sample: seed 1, 122 customers, 110 products, 2,500 ratings, taste
// strength 1, with orders, in a database named classicmodels.
func Default() Options { return Options{SampleShop: settings.Default[settings.SampleShop]()} }

// DefaultSessions is how many activity sessions WriteFiles writes unless told otherwise.
const DefaultSessions = 100

// Validate reports every option that is out of its bounds, all at once.
func (o Options) Validate() error { return option.Check(o.SampleShop) }
