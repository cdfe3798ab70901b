// Package shops makes up databases of well-known shop platforms for tests, with a known truth.
//
// A Shop says what was bought. A Platform writes it as a MySQL script, as WooCommerce, Magento, PrestaShop or a plain
// shop would store it, warts included. Purchases returns the purchases that a right shop file must find in it.
//
// Tastes, places and prices come from sampleshop. So a model can learn from the purchases, and beats popularity.
//
// Promise: the same Options give the same bytes. The names and types of tables and columns are those that the platforms
// publish (the files in schema/ name their sources). Columns that no shop file needs are left out.
package shops

import "time"

// Options are the seed and the sizes of a shop.
type Options struct {
	Seed      uint64
	Customers int // that bought something, about one in twelve of them as a guest
	Products  int
	Lines     int // of orders, about
}

// Small is a shop that loads in a second: 300 customers, 200 products, about 6,000 lines.
func Small() Options { return Options{Seed: 1, Customers: 300, Products: 200, Lines: 6_000} }

// Shop is a made-up shop. Its parts refer to each other by their index.
type Shop struct {
	Customers []Customer
	Products  []Product
	Orders    []Order // by customer, then by time
}

// Customer is a person who buys, or only has an account.
type Customer struct {
	FirstName, LastName, Email string
	City                       string
	Country                    country
	Registered                 time.Time
	Guest                      bool // buys without an account
	Staff                      bool // makes test orders
}

// Product is what a page of the shop sells.
type Product struct {
	Name, SKU, Category string
	Price               cents // in the base currency
	Stock               int
	Variants            int  // sizes that a customer chooses from, 0 for a simple product
	Backorders          bool // is sold when the stock is 0
	Hidden              bool // is not published (any more)
	Deleted             bool // is in orders only
}

// Order is what a customer bought at once.
type Order struct {
	Customer int
	At       time.Time // UTC, whole seconds, each of a customer's differs
	Status   Status
	Currency string // ISO 4217
	Lines    []Line
}

// Line is a product of an order. No two lines of an order have the same product and variant.
type Line struct {
	Product  int
	Variant  int // from 1, 0 for a simple product
	Quantity int
	Returned int // pieces that came back, if the order was not refunded as a whole
}

// back returns how many pieces of a line came back.
func (o Order) back(l Line) int {
	if o.Status == Refunded {
		return l.Quantity
	}
	return l.Returned
}

// total is what the order's lines cost, in its currency.
func (s *Shop) total(o Order) float64 {
	total := cents(0)
	for _, l := range o.Lines {
		total += s.Products[l.Product].Price * cents(l.Quantity)
	}
	return inCurrency(total, o)
}

// inCurrency returns an amount in the currency of an order.
func inCurrency(amount cents, o Order) float64 { return float64(amount) / 100 * rates[o.Currency] }

// Status is the state of an order.
type Status int

// The states of an order. Completed and Paid are purchases.
const (
	Completed Status = iota
	Paid
	Pending
	Cancelled
	Failed
	Refunded // as a whole
)

// BaseCurrency is the shop's own.
const BaseCurrency = "EUR"

// rates says how much of a currency is one of the base currency.
var rates = map[string]float64{BaseCurrency: 1, "USD": 1.0832, "GBP": 0.8571}

// Purchase is what counts of a product in an order.
type Purchase struct {
	Order    int // index
	Customer int // index, -1 for a guest
	Product  int
	At       time.Time
	Quantity int
	Value    cents // in the base currency
	Currency string
	Lines    int // of the order that it sums, one for a variant
}

// Purchases returns what a shop file must find: of orders that were paid, not by staff, less the pieces that came back.
// Variants count for their product.
func (s *Shop) Purchases() (purchases []Purchase) {
	for number, o := range s.Orders {
		customer := s.Customers[o.Customer]
		if o.Status > Paid || customer.Staff {
			continue
		}
		of := map[int]int{} // the index in purchases by product
		for _, l := range o.Lines {
			kept := l.Quantity - l.Returned
			if kept == 0 {
				continue
			}
			i, again := of[l.Product]
			if !again {
				i = len(purchases)
				of[l.Product] = i
				purchases = append(purchases, Purchase{Order: number, Customer: o.Customer, Product: l.Product, At: o.At, Currency: o.Currency})
				if customer.Guest {
					purchases[i].Customer = -1
				}
			}
			purchases[i].Quantity += kept
			purchases[i].Lines++
			purchases[i].Value += s.Products[l.Product].Price * cents(kept)
		}
	}
	return purchases
}
