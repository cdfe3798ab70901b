package shops

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
	_ "time/tzdata" // of the time zone below
)

//go:embed schema/prestashop.sql
var prestaShopSchema string

// PrestaShop is PrestaShop 8. Its warts: times are local, without a zone. Guests are customers with a mark. An order
// without an invoice has a zero date for it. Names are rows by language, addresses that were changed are kept as deleted.
// Quantities are unsigned, so that a difference of two can fail. The installer's customer has demonstration orders.
var PrestaShop = Platform{
	Name: "prestashop", Database: "prestashop", Write: writePrestaShop, Zone: paris, Backorders: true, Hides: true,
	CustomerID: func(i int) string { return fmt.Sprint(prestaCustomer(i)) },
	ProductID:  func(i int) string { return fmt.Sprint(prestaProduct(i)) },
}

var paris = zone("Europe/Paris")

func zone(name string) *time.Location {
	location, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // time/tzdata has it
	}
	return location
}

func prestaCustomer(customer int) int { return 2 + customer }
func prestaProduct(product int) int   { return 20 + product }

// Rows of ps_order_state, as the installer numbers them.
const (
	awaitingCheque, paymentAccepted, delivered, cancelled, refund, paymentError, onBackorderPaid = 1, 2, 5, 6, 7, 8, 9
)

func writePrestaShop(w io.Writer, shop *Shop) error {
	return write(w, "prestashop", prestaShopSchema, func(s *script) {
		s.prestaSettings()
		s.prestaProducts(shop)
		countries := s.prestaCustomers(shop)
		s.prestaOrders(shop)
		names := s.table("ps_country_lang", "id_country, id_lang, name")
		for i, c := range countries.seen {
			names.add(i+1, 1, c.Name)
			names.add(i+1, 2, c.Name+" (fr)")
		}
	})
}

func (s *script) prestaSettings() {
	settings := s.table("ps_configuration", "name, value, date_add, date_upd")
	settings.add("PS_LANG_DEFAULT", "1", opened, opened)
	settings.add("PS_CURRENCY_DEFAULT", "1", opened, opened)
	settings.add("PS_ORDER_OUT_OF_STOCK", "0", opened, opened)
	currencies := s.table("ps_currency", "id_currency, iso_code, conversion_rate")
	for i, code := range prestaCurrencies {
		currencies.add(i+1, code, rates[code])
	}
	states := s.table("ps_order_state", "id_order_state, logable, shipped, paid")
	for _, state := range [][4]any{
		{awaitingCheque, false, false, false}, {paymentAccepted, true, false, true}, {delivered, true, true, true},
		{cancelled, false, false, false}, {refund, false, false, false}, {paymentError, false, false, false}, {onBackorderPaid, false, false, true},
	} {
		states.add(state[:]...)
	}
}

var prestaCurrencies = []string{BaseCurrency, "USD", "GBP"}

func (s *script) prestaProducts(shop *Shop) {
	products := s.table("ps_product", "id_product, id_category_default, price, reference, active, date_add, product_type")
	inShop := s.table("ps_product_shop", "id_product, id_shop, id_category_default, price, active")
	names := s.table("ps_product_lang", "id_product, id_shop, id_lang, name")
	categories := s.table("ps_category_lang", "id_category, id_shop, id_lang, name")
	combinations := s.table("ps_product_attribute", "id_product_attribute, id_product, reference")
	stock := s.table("ps_stock_available", "id_product, id_product_attribute, id_shop, id_shop_group, quantity, out_of_stock")
	known := map[string]int{}
	for i, p := range shop.Products {
		if p.Deleted {
			continue
		}
		if known[p.Category] == 0 {
			known[p.Category] = 3 + len(known) // 1 and 2 are the roots
			categories.add(known[p.Category], 1, 1, p.Category)
			categories.add(known[p.Category], 1, 2, p.Category+" (fr)")
		}
		id, kind, outOfStock := prestaProduct(i), "standard", 2
		if p.Variants > 0 {
			kind = "combinations"
		}
		if p.Backorders {
			outOfStock = 1
		}
		products.add(id, known[p.Category], p.Price, p.SKU, !p.Hidden, opened, kind)
		inShop.add(id, 1, known[p.Category], p.Price, !p.Hidden)
		names.add(id, 1, 1, p.Name)
		names.add(id, 1, 2, p.Name+" (fr)")
		stock.add(id, 0, 1, 0, p.Stock, outOfStock)
		for v := 1; v <= p.Variants; v++ {
			combinations.add(combination(i, v), id, fmt.Sprintf("%s-%d", p.SKU, v))
			stock.add(id, combination(i, v), 1, 0, p.Stock/p.Variants, outOfStock)
		}
	}
}

// combination is the id of a variant, 0 for a simple product.
func combination(product, variant int) int {
	if variant == 0 {
		return 0
	}
	return 8*product + variant
}

// numbers gives countries ids as they come.
type numbers struct{ seen []country }

func (n *numbers) of(c country) int {
	if !slices.Contains(n.seen, c) {
		n.seen = append(n.seen, c)
	}
	return 1 + slices.Index(n.seen, c)
}

func (s *script) prestaCustomers(shop *Shop) *numbers {
	customers := s.table("ps_customer", "id_customer, firstname, lastname, email, active, is_guest, date_add")
	addresses := s.table("ps_address", "id_customer, id_country, alias, city, deleted")
	countries := &numbers{}
	for i, c := range shop.Customers {
		email := c.Email
		if c.Staff {
			email = "pub@prestashop.com" // of the installer's John Doe
		}
		id := prestaCustomer(i)
		customers.add(id, c.FirstName, c.LastName, email, true, c.Guest, c.Registered.In(paris))
		addresses.add(id, countries.of(c.Country), "Old home", "Nowhere", i%9 > 0)
		addresses.add(id, countries.of(c.Country), "Home", c.City, false)
		if i%10 == 4 {
			addresses.add(id, countries.of(c.Country), "Deleted", "Elsewhere", true)
		}
	}
	return countries
}

// prestaState is the state of an order.
func prestaState(i int, o Order) int {
	states := []int{delivered, paymentAccepted, awaitingCheque, cancelled, paymentError, refund}
	if o.Status == Paid && i%3 == 0 {
		return onBackorderPaid
	}
	return states[o.Status]
}

func (s *script) prestaOrders(shop *Shop) {
	orders := s.table("ps_orders", "id_order, reference, id_lang, id_customer, id_currency, current_state, conversion_rate, total_paid, invoice_date, delivery_date, valid, date_add")
	details := s.table("ps_order_detail", "id_order, id_shop, product_id, product_attribute_id, product_name, product_quantity, product_quantity_refunded, "+
		"product_quantity_return, product_reference, unit_price_tax_incl, unit_price_tax_excl")
	for i, o := range shop.Orders {
		at := o.At.In(paris)
		invoiceDate, deliveryDate := any(zeroDate{}), any(zeroDate{})
		if o.Status == Completed {
			invoiceDate, deliveryDate = at, at.AddDate(0, 0, 2)
		}
		orders.add(i+1, fmt.Sprintf("R%08d", i), 1, prestaCustomer(o.Customer), prestaCurrency(o.Currency), prestaState(i, o), rates[o.Currency],
			shop.total(o), invoiceDate, deliveryDate, o.Status == Completed, at)
		for _, l := range o.Lines {
			p := shop.Products[l.Product]
			refunded, returned := o.back(l), 0
			if i%2 == 0 { // came back after delivery
				refunded, returned = 0, refunded
			}
			price := math.Round(inCurrency(p.Price, o)*1e6) / 1e6
			details.add(i+1, 1, prestaProduct(l.Product), combination(l.Product, l.Variant), p.Name, l.Quantity, refunded, returned, p.SKU, price*1.2, price)
		}
	}
}

func prestaCurrency(code string) int { return 1 + slices.Index(prestaCurrencies, code) }
