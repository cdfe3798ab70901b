package shops

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

var (
	//go:embed schema/uuid.sql
	uuidSchema string
	//go:embed schema/text.sql
	textSchema string
)

// UUID is a shop of a web framework with UUIDs as keys in BINARY(16). Its warts: products are deleted by a mark, guests
// are NULL. A few orders have the zero date.
var UUID = Platform{
	Name: "uuid", Database: "uuidshop", Write: writeUUID, Zone: time.UTC, Hides: true, Undated: undated,
	CustomerID: func(i int) string { return hex.EncodeToString(uuid("user", i)) },
	ProductID:  func(i int) string { return hex.EncodeToString(uuid("product", i)) },
}

// Text is a shop with texts as keys. Its warts: the customer's id is written in another case in some rows, and is empty for
// guests. Ids have blanks, slashes, percent signs and letters outside of ASCII. A few sales have the zero date.
var Text = Platform{
	Name: "text", Database: "textshop", Write: writeText, Zone: time.UTC, Undated: undated,
	CustomerID: textCustomer, ProductID: textProduct,
}

// undated reports whether an order of a plain shop has the zero date.
func undated(order int) bool { return order%400 == 11 }

// uuid makes a version 4 UUID that is always the same.
func uuid(kind string, number int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, kind, number))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return sum[:16]
}

func plainTime(order int, o Order) any {
	if undated(order) {
		return zeroDate{}
	}
	return o.At
}

var plainStatus = []string{"completed", "paid", "pending", "cancelled", "failed", "refunded"}

func writeUUID(w io.Writer, shop *Shop) error {
	return write(w, "uuidshop", uuidSchema, func(s *script) {
		users := s.table("users", "id, email, city, country, is_staff, created_at")
		for i, c := range shop.Customers {
			if !c.Guest {
				users.add(uuid("user", i), c.Email, c.City, c.Country.Code, c.Staff, c.Registered)
			}
		}
		products := s.table("products", "id, sku, name, category, price, stock, published, deleted_at")
		for i, p := range shop.Products {
			deleted := any(nil)
			if p.Deleted {
				deleted = closed
			}
			products.add(uuid("product", i), p.SKU, p.Name, p.Category, p.Price, p.Stock, !p.Hidden, deleted)
		}
		orders := s.table("orders", "id, user_id, status, currency, placed_at")
		items := s.table("order_items", "order_id, product_id, quantity, returned, unit_price")
		for i, o := range shop.Orders {
			user := any(uuid("user", o.Customer))
			if shop.Customers[o.Customer].Guest {
				user = nil
			}
			id := uuid("order", i)
			orders.add(id, user, plainStatus[o.Status], o.Currency, plainTime(i, o))
			for _, l := range o.Lines {
				items.add(id, uuid("product", l.Product), l.Quantity, l.Returned, inCurrency(shop.Products[l.Product].Price, o))
			}
		}
	})
}

func textCustomer(i int) string {
	switch id := fmt.Sprintf("Cus_%08x", uint32(i)*2654435761); i % 20 {
	case 3:
		return id + "/é"
	case 7:
		return id + " 50%"
	case 11:
		return "a." + id // sorts before all others
	default:
		return id
	}
}

func textProduct(i int) string {
	if i%15 == 4 {
		return fmt.Sprintf("Größe %d/%d", i%7, i)
	}
	return fmt.Sprintf("sku-%03d", i)
}

func writeText(w io.Writer, shop *Shop) error {
	return write(w, "textshop", textSchema, func(s *script) {
		customers := s.table("customers", "id, city, country, kind")
		for i, c := range shop.Customers {
			kind := "shopper"
			if c.Staff {
				kind = "staff"
			}
			if !c.Guest {
				customers.add(textCustomer(i), c.City, c.Country.Code, kind)
			}
		}
		items := s.table("items", "code, label, category, price, stock")
		for i, p := range shop.Products {
			if !p.Deleted {
				items.add(textProduct(i), p.Name, p.Category, p.Price, p.Stock)
			}
		}
		sales := s.table("sales", "customer, code, sold_at, pieces, status")
		for i, o := range shop.Orders {
			customer := textCustomer(o.Customer)
			if shop.Customers[o.Customer].Guest {
				customer = ""
			} else if i%50 == 13 {
				customer = strings.ToUpper(customer)
			}
			for _, l := range o.Lines {
				sales.add(customer, textProduct(l.Product), plainTime(i, o), l.Quantity-l.Returned, plainStatus[o.Status])
			}
		}
	})
}
