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
	"errors"
	"fmt"
	"regexp"
)

// Options say what shop to make. Start from Default; the zero value is not valid.
type Options struct {
	// Seed of everything that is drawn. Any value.
	Seed uint64
	// Database is the name in CREATE DATABASE and USE: 1 to 64 letters, digits or '_'.
	Database string
	// Customers in the shop, 5 to 10,000,000. About four in five have orders, and ratings.
	Customers int
	// Products in the shop, 10 to 1,000,000. All but one can be bought.
	Products int
	// Ratings written, exactly. At least Customers, at most a third of all pairs of a customer with orders
	// and a product, and never over 1,000,000,000.
	Ratings int
	// TasteStrength is how much taste decides what is bought and how it is rated: 0 is not at all (ratings
	// are noise, only popularity is left), 1 is clearly, 3 (the most) is nearly everything.
	TasteStrength float64
	// OmitOrders leaves orders, orderdetails and payments empty: what a load test of ratings does not need.
	OmitOrders bool
}

// Default is the shop of the committed sample: seed 1, 122 customers, 110 products, 2,500 ratings, taste
// strength 1, with orders, in a database named classicmodels.
func Default() Options {
	return Options{Seed: 1, Database: "classicmodels", Customers: 122, Products: 110, Ratings: 2_500, TasteStrength: 1}
}

// DefaultSessions is how many activity sessions WriteFiles writes unless told otherwise.
const DefaultSessions = 100

const (
	maxCustomers = 10_000_000
	maxProducts  = 1_000_000
	maxRatings   = 1_000_000_000
)

var databaseName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// Validate reports every option that is out of its bounds, all at once.
func (o Options) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(databaseName.MatchString(o.Database), "database %q: want 1 to 64 letters, digits or '_'", o.Database)
	check(o.Customers >= 5 && o.Customers <= maxCustomers, "customers %d: want 5 to %d", o.Customers, maxCustomers)
	check(o.Products >= 10 && o.Products <= maxProducts, "products %d: want 10 to %d", o.Products, maxProducts)
	check(o.TasteStrength >= 0 && o.TasteStrength <= 3, "taste strength %v: want 0 to 3", o.TasteStrength)
	if len(faults) == 0 {
		most := min(maxRatings, o.Customers*3/5*(o.Products-1)/3)
		check(o.Ratings >= o.Customers && o.Ratings <= most,
			"ratings %d: with %d customers and %d products want %d to %d", o.Ratings, o.Customers, o.Products, o.Customers, most)
	}
	return errors.Join(faults...)
}
