package shops

import (
	"io"
	"time"
)

// Platform is a way to store a shop.
type Platform struct {
	Name     string // of its shop file, without the ending
	Database string
	// Write writes the shop as a script that creates the database. Errors are those of w.
	Write func(w io.Writer, s *Shop) error
	// Zone is the zone of the times in the database.
	Zone *time.Location
	// CustomerID and ProductID return the id of the customer or product of an index, as the shop file selects it.
	CustomerID, ProductID func(index int) string
	// Backorders says that the shop sells products beyond its stock, and Hides that it has products that it does not show.
	Backorders, Hides bool
	// Undated reports whether the order of an index has no real date in the database. nil is never.
	Undated func(order int) bool
}

// Sells reports whether a customer can buy the product.
func (p Platform) Sells(product Product) bool {
	return !product.Deleted && !(product.Hidden && p.Hides) && (product.Stock > 0 || product.Backorders && p.Backorders)
}
