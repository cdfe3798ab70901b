package shops

import (
	_ "embed"
	"fmt"
	"io"
	"time"
)

//go:embed schema/magento.sql
var magentoSchema string

// Magento is Magento Open Source 2. Its warts: names, prices and the state of a product are rows of tables by type
// (EAV), with a default (store 0) and other values for a store. A configurable product has two rows in an order, the
// child has no price. Guests are NULL. An order that was cancelled keeps its lines, with the quantity cancelled.
var Magento = Platform{
	Name: "magento", Database: "magento", Write: writeMagento, Zone: time.UTC,
	CustomerID: func(i int) string { return fmt.Sprint(magentoCustomer(i)) },
	ProductID:  func(i int) string { return fmt.Sprint(magentoProduct(i)) },
}

func magentoCustomer(customer int) int { return 1 + customer }
func magentoProduct(product int) int   { return 1 + 7*product } // its children follow

// magentoState is the state and the status of orders, by Status.
var magentoState = [][2]string{
	{"complete", "complete"}, {"processing", "processing"}, {"pending_payment", "pending_payment"}, {"canceled", "canceled"},
	{"canceled", "fraud"}, {"closed", "closed"},
}

// Numbers that Magento's installer gives, as a rule.
const (
	categoryType, productType                          = 3, 4
	categoryName, nameAttribute, price, state, visible = 45, 73, 77, 97, 99
	enabled, disabled                                  = 1, 2
	notVisibleIndividually, catalogAndSearch           = 1, 4
	notLoggedIn, general, staffGroup                   = 0, 1, 5
)

func writeMagento(w io.Writer, shop *Shop) error {
	return write(w, "magento", magentoSchema, func(s *script) {
		s.magentoAttributes()
		s.magentoProducts(shop)
		s.magentoCustomers(shop)
		s.magentoOrders(shop)
	})
}

func (s *script) magentoAttributes() {
	types := s.table("eav_entity_type", "entity_type_id, entity_type_code")
	types.add(1, "customer")
	types.add(categoryType, "catalog_category")
	types.add(productType, "catalog_product")
	attributes := s.table("eav_attribute", "attribute_id, entity_type_id, attribute_code, backend_type")
	attributes.add(categoryName, categoryType, "name", "varchar")
	attributes.add(nameAttribute, productType, "name", "varchar")
	attributes.add(price, productType, "price", "decimal")
	attributes.add(state, productType, "status", "int")
	attributes.add(visible, productType, "visibility", "int")
}

func (s *script) magentoProducts(shop *Shop) {
	products := s.table("catalog_product_entity", "entity_id, attribute_set_id, type_id, sku, created_at")
	names := s.table("catalog_product_entity_varchar", "attribute_id, store_id, entity_id, value")
	prices := s.table("catalog_product_entity_decimal", "attribute_id, store_id, entity_id, value")
	numbers := s.table("catalog_product_entity_int", "attribute_id, store_id, entity_id, value")
	links := s.table("catalog_product_super_link", "product_id, parent_id")
	stock := s.table("cataloginventory_stock_item", "product_id, stock_id, qty, backorders, use_config_backorders, is_in_stock, manage_stock")
	categorise := s.magentoCategories()
	add := func(id int, kind, sku, name string, p Product, visibility int) {
		products.add(id, 4, kind, sku, opened)
		names.add(nameAttribute, 0, id, name)
		names.add(nameAttribute, 1, id, name+" (store 1)")
		status := enabled
		if p.Hidden {
			status = disabled
		}
		numbers.add(state, 0, id, status)
		numbers.add(visible, 0, id, visibility)
		if kind == "configurable" { // has neither a price nor a stock of its own
			stock.add(id, 1, 0, 0, true, p.Stock > 0 || p.Backorders, true)
			return
		}
		prices.add(price, 0, id, p.Price)
		stock.add(id, 1, p.Stock, p.Backorders, !p.Backorders, p.Stock > 0 || p.Backorders, true)
	}
	for i, p := range shop.Products {
		if p.Deleted {
			continue
		}
		id, kind := magentoProduct(i), "simple"
		if p.Variants > 0 {
			kind = "configurable"
		}
		add(id, kind, p.SKU, p.Name, p, catalogAndSearch)
		categorise(id, p.Category)
		for v := 1; v <= p.Variants; v++ {
			add(id+v, "simple", fmt.Sprintf("%s-%d", p.SKU, v), fmt.Sprintf("%s-%d", p.Name, v), p, notVisibleIndividually)
			links.add(id+v, id)
		}
	}
}

// magentoCategories writes the roots, and returns a function that puts a product into a category and into its parent.
func (s *script) magentoCategories() func(product int, name string) {
	entities := s.table("catalog_category_entity", "entity_id, parent_id, path, position, level, children_count")
	names := s.table("catalog_category_entity_varchar", "attribute_id, store_id, entity_id, value")
	products := s.table("catalog_category_product", "category_id, product_id")
	add := func(id, parent int, path string, level int, name string) {
		entities.add(id, parent, path, id, level, 0)
		names.add(categoryName, 0, id, name)
		names.add(categoryName, 1, id, name+" (store 1)")
	}
	add(1, 0, "1", 0, "Root Catalog")
	add(2, 1, "1/2", 1, "Default Category")
	known := map[string]int{}
	return func(product int, name string) {
		if known[name] == 0 {
			known[name] = 3 + len(known)
			add(known[name], 2, fmt.Sprint("1/2/", known[name]), 2, name)
		}
		products.add(2, product)
		products.add(known[name], product)
	}
}

func (s *script) magentoCustomers(shop *Shop) {
	groups := s.table("customer_group", "customer_group_id, customer_group_code")
	groups.add(general, "General")
	groups.add(staffGroup, "Staff")
	customers := s.table("customer_entity", "entity_id, website_id, email, group_id, store_id, created_at, firstname, lastname, default_billing, default_shipping")
	addresses := s.table("customer_address_entity", "entity_id, parent_id, city, country_id")
	for i, c := range shop.Customers {
		if c.Guest {
			continue
		}
		id := magentoCustomer(i)
		shipping := any(2 * id)
		if i%7 == 3 {
			shipping = nil // only an address for invoices
		}
		customers.add(id, 1, c.Email, magentoGroup(c), 1, c.Registered, c.FirstName, c.LastName, 2*id+1, shipping)
		addresses.add(2*id+1, id, c.City, c.Country.Code)
		if shipping != nil {
			addresses.add(2*id, id, c.City, c.Country.Code)
		}
	}
}

func magentoGroup(c Customer) int {
	switch {
	case c.Guest:
		return notLoggedIn
	case c.Staff:
		return staffGroup
	}
	return general
}

func (s *script) magentoOrders(shop *Shop) {
	orders := s.table("sales_order", "entity_id, state, status, store_id, customer_id, base_to_order_rate, customer_is_guest, customer_group_id, "+
		"increment_id, base_currency_code, customer_email, order_currency_code, created_at")
	items := s.table("sales_order_item", "item_id, order_id, parent_item_id, created_at, product_id, product_type, sku, name, qty_canceled, "+
		"qty_ordered, qty_refunded, price, base_price, row_total, base_row_total")
	item := 0
	for i, o := range shop.Orders {
		c := shop.Customers[o.Customer]
		customer, group := any(magentoCustomer(o.Customer)), any(magentoGroup(c))
		if c.Guest {
			customer = nil
		}
		if i%50 == 7 && !c.Staff {
			group = nil // of an order that was imported
		}
		orders.add(i+1, magentoState[o.Status][0], magentoState[o.Status][1], 1, customer, rates[o.Currency], c.Guest, group,
			fmt.Sprintf("%09d", i+1), BaseCurrency, c.Email, o.Currency, o.At)
		for _, l := range o.Lines {
			p, parent := shop.Products[l.Product], any(nil)
			cancelled, refunded := 0, l.Returned
			switch o.Status {
			case Cancelled, Failed:
				cancelled = l.Quantity
			case Refunded:
				refunded = l.Quantity
			}
			add := func(product int, kind string, price cents) {
				item++
				row := price * cents(l.Quantity)
				items.add(item, i+1, parent, o.At, product, kind, p.SKU, p.Name, cancelled, l.Quantity, refunded,
					inCurrency(price, o), price, inCurrency(row, o), row)
			}
			if l.Variant == 0 {
				add(magentoProduct(l.Product), "simple", p.Price)
				continue
			}
			add(magentoProduct(l.Product), "configurable", p.Price)
			parent = item
			add(magentoProduct(l.Product)+l.Variant, "simple", 0)
		}
	}
}

// inCurrency is an amount in the currency of an order.
func inCurrency(amount cents, o Order) float64 { return float64(amount) / 100 * rates[o.Currency] }
