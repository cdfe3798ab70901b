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
	Name: "magento", Database: "magento", Write: writeMagento, Zone: time.UTC, Backorders: true, Hides: true,
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
	categoryType, productType             = 3, 4
	categoryName                          = 45 // attributes of categories, then of products
	productName, productPrice             = 73, 77
	productStatus, productVisibility      = 97, 99
	enabled, disabled                     = 1, 2
	notVisibleIndividually, catalogSearch = 1, 4
	notLoggedIn, general, staffGroup      = 0, 1, 5
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
	attributes.add(productName, productType, "name", "varchar")
	attributes.add(productPrice, productType, "price", "decimal")
	attributes.add(productStatus, productType, "status", "int")
	attributes.add(productVisibility, productType, "visibility", "int")
}

// magentoCatalog writes products, and their attributes row by row.
type magentoCatalog struct {
	products, names, prices, integers, links, stock *rows
}

func (s *script) magentoProducts(shop *Shop) {
	t := magentoCatalog{
		products: s.table("catalog_product_entity", "entity_id, attribute_set_id, type_id, sku, created_at"),
		names:    s.table("catalog_product_entity_varchar", "attribute_id, store_id, entity_id, value"),
		prices:   s.table("catalog_product_entity_decimal", "attribute_id, store_id, entity_id, value"),
		integers: s.table("catalog_product_entity_int", "attribute_id, store_id, entity_id, value"),
		links:    s.table("catalog_product_super_link", "product_id, parent_id"),
		stock:    s.table("cataloginventory_stock_item", "product_id, stock_id, qty, backorders, use_config_backorders, is_in_stock, manage_stock"),
	}
	categorise := s.magentoCategories()
	for i, p := range shop.Products {
		if p.Deleted {
			continue
		}
		id, kind := magentoProduct(i), "simple"
		if p.Variants > 0 {
			kind = "configurable"
		}
		t.add(id, kind, p, catalogSearch)
		categorise(id, p.Category)
		for v := 1; v <= p.Variants; v++ {
			variant := p
			variant.SKU, variant.Name = fmt.Sprintf("%s-%d", p.SKU, v), fmt.Sprintf("%s-%d", p.Name, v)
			t.add(id+v, "simple", variant, notVisibleIndividually)
			t.links.add(id+v, id)
		}
	}
}

func (t magentoCatalog) add(id int, kind string, p Product, visibility int) {
	t.products.add(id, 4, kind, p.SKU, opened)
	t.names.add(productName, 0, id, p.Name)
	t.names.add(productName, 1, id, p.Name+" (store 1)")
	status := enabled
	if p.Hidden {
		status = disabled
	}
	t.integers.add(productStatus, 0, id, status)
	t.integers.add(productVisibility, 0, id, visibility)
	inStock := p.Stock > 0 || p.Backorders
	if kind == "configurable" { // has neither a price nor a stock of its own
		t.stock.add(id, 1, 0, 0, true, inStock, true)
		return
	}
	t.prices.add(productPrice, 0, id, p.Price)
	t.stock.add(id, 1, p.Stock, p.Backorders, !p.Backorders, inStock, true)
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

// magentoSales writes orders and their items.
type magentoSales struct {
	shop          *Shop
	orders, items *rows
	item          int
}

func (s *script) magentoOrders(shop *Shop) {
	t := magentoSales{
		shop: shop,
		orders: s.table("sales_order", "entity_id, state, status, store_id, customer_id, base_to_order_rate, customer_is_guest, customer_group_id, "+
			"increment_id, base_currency_code, customer_email, order_currency_code, created_at"),
		items: s.table("sales_order_item", "item_id, order_id, parent_item_id, created_at, product_id, product_type, sku, name, qty_canceled, "+
			"qty_ordered, qty_refunded, price, base_price, row_total, base_row_total"),
	}
	for i, o := range shop.Orders {
		t.order(i+1, o)
	}
}

func (t *magentoSales) order(id int, o Order) {
	c := t.shop.Customers[o.Customer]
	customer, group := any(magentoCustomer(o.Customer)), any(magentoGroup(c))
	if c.Guest {
		customer = nil
	}
	if id%50 == 7 && !c.Staff {
		group = nil // of an order that was imported
	}
	t.orders.add(id, magentoState[o.Status][0], magentoState[o.Status][1], 1, customer, rates[o.Currency], c.Guest, group,
		fmt.Sprintf("%09d", id), BaseCurrency, c.Email, o.Currency, o.At)
	for _, l := range o.Lines {
		price := t.shop.Products[l.Product].Price
		if l.Variant == 0 {
			t.add(id, o, l, nil, "simple", price)
			continue
		}
		t.add(id, o, l, nil, "configurable", price)
		t.add(id, o, l, t.item, "simple", 0)
	}
}

// add adds an item. A child has its parent's number.
func (t *magentoSales) add(order int, o Order, l Line, parent any, kind string, price cents) {
	t.item++
	p, product, cancelled := t.shop.Products[l.Product], magentoProduct(l.Product), 0
	if parent != nil {
		product += l.Variant
	}
	if o.Status == Cancelled || o.Status == Failed {
		cancelled = l.Quantity
	}
	row := price * cents(l.Quantity)
	t.items.add(t.item, order, parent, o.At, product, kind, p.SKU, p.Name, cancelled, l.Quantity, o.back(l),
		inCurrency(price, o), price, inCurrency(row, o), row)
}
