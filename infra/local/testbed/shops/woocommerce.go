package shops

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"time"
)

//go:embed schema/woocommerce.sql
var wooCommerceSchema string

// WooCommerce stores orders in tables of their own (HPOS). Its warts: ids are bigint unsigned, and lie around 2^32 here.
// A guest is a row of wp_wc_customer_lookup without a user. A refund is an order with negative quantities, and a date of
// its own. An amount is in the order's currency. A product is in its category and in the category's parent.
var WooCommerce = Platform{
	Name: "woocommerce", Database: "wordpress", Write: writeWooCommerce, Zone: time.UTC, Backorders: true, Hides: true,
	CustomerID: func(i int) string { return fmt.Sprint(wooUser(i)) },
	ProductID:  func(i int) string { return fmt.Sprint(wooProduct(i)) },
}

func wooUser(customer int) int   { return 1<<32 - 300 + 3*customer }
func wooProduct(product int) int { return 1_000 + 10*product } // its variations follow

// wooStatus is the status of orders in wp_wc_orders, by Status.
var wooStatus = []string{"wc-completed", "wc-processing", "wc-pending", "wc-cancelled", "wc-failed", "wc-refunded"}

// wooSources are the values of _wc_order_attribution_source_type for orders that customers made.
var wooSources = []string{"organic", "utm", "referral", "typein"}

func writeWooCommerce(w io.Writer, shop *Shop) error {
	return write(w, "wordpress", wooCommerceSchema, func(s *script) {
		s.table("wp_options", "option_name, option_value").add("woocommerce_currency", BaseCurrency)
		s.wooProducts(shop)
		s.wooCustomers(shop)
		s.wooOrders(shop)
	})
}

func (s *script) wooProducts(shop *Shop) {
	posts := s.table("wp_posts", "ID, post_date, post_date_gmt, post_title, post_status, post_parent, post_type")
	lookup := s.table("wp_wc_product_meta_lookup", "product_id, sku, min_price, max_price, stock_quantity, stock_status")
	relationships := s.table("wp_term_relationships", "object_id, term_taxonomy_id")
	category := s.wooCategories()
	for i, p := range shop.Products {
		if p.Deleted {
			continue
		}
		id, status := wooProduct(i), "publish"
		if p.Hidden {
			status = "draft" // has no date in UTC yet
		}
		posts.add(id, opened, zeroDate{}, p.Name, status, 0, "product")
		stock, state := any(p.Stock), "instock"
		switch {
		case p.Stock == 0 && p.Backorders:
			state = "onbackorder"
		case p.Stock == 0:
			state = "outofstock"
		case p.Variants > 0:
			stock = nil // is counted by variation
		}
		lookup.add(id, p.SKU, p.Price, p.Price+cents(100*p.Variants), stock, state)
		relationships.add(id, wooTaxonomy(0))
		relationships.add(id, wooTaxonomy(category(p.Category)))
		for v := 1; v <= p.Variants; v++ {
			posts.add(id+v, opened, opened, fmt.Sprintf("%s - %d", p.Name, v), "publish", id, "product_variation")
			lookup.add(id+v, fmt.Sprintf("%s-%d", p.SKU, v), p.Price, p.Price, p.Stock, state)
		}
	}
}

// wooTaxonomy is the row of wp_term_taxonomy for the n-th category. A site that is old enough has other ids for both.
func wooTaxonomy(n int) int { return 40 + n }

// wooCategories writes the parent of all categories, and returns a function that numbers categories as they come.
func (s *script) wooCategories() func(name string) int {
	terms := s.table("wp_terms", "term_id, name, slug")
	taxonomy := s.table("wp_term_taxonomy", "term_taxonomy_id, term_id, taxonomy, parent")
	terms.add(21, "All models", "all-models")
	taxonomy.add(wooTaxonomy(0), 21, "product_cat", 0)
	terms.add(20, "simple", "simple")
	taxonomy.add(20, 20, "product_type", 0)
	known := map[string]int{}
	return func(name string) int {
		if known[name] == 0 {
			n := len(known) + 1
			known[name] = n
			terms.add(21+n, name, fmt.Sprint("category-", n))
			taxonomy.add(wooTaxonomy(n), 21+n, "product_cat", 21)
		}
		return known[name]
	}
}

// wooCustomer is the key of wp_wc_customer_lookup, which guests have, too.
func wooCustomer(i int) int { return i + 1 }

func (s *script) wooCustomers(shop *Shop) {
	lookup := s.table("wp_wc_customer_lookup", "customer_id, user_id, username, first_name, last_name, email, date_registered, country, city")
	meta := s.table("wp_usermeta", "user_id, meta_key, meta_value")
	for i, c := range shop.Customers {
		if c.Guest {
			lookup.add(wooCustomer(i), nil, "", c.FirstName, c.LastName, c.Email, nil, c.Country.Code, c.City)
			continue
		}
		role := `a:1:{s:8:"customer";b:1;}`
		if c.Staff {
			role = `a:1:{s:12:"shop_manager";b:1;}`
		}
		meta.add(wooUser(i), "wp_capabilities", role)
		meta.add(wooUser(i), "nickname", c.FirstName)
		lookup.add(wooCustomer(i), wooUser(i), fmt.Sprint("user", i), c.FirstName, c.LastName, c.Email, c.Registered, c.Country.Code, c.City)
	}
}

// wooOrders writes orders and refunds, which are orders, too.
type wooOrders struct {
	shop                *Shop
	orders, meta, lines *rows
	items               int
}

func (s *script) wooOrders(shop *Shop) {
	t := wooOrders{
		shop:   shop,
		orders: s.table("wp_wc_orders", "id, status, currency, type, total_amount, customer_id, billing_email, date_created_gmt, parent_order_id"),
		meta:   s.table("wp_wc_orders_meta", "order_id, meta_key, meta_value"),
		lines: s.table("wp_wc_order_product_lookup",
			"order_item_id, order_id, product_id, variation_id, customer_id, date_created, product_qty, product_net_revenue, product_gross_revenue"),
	}
	for i, o := range shop.Orders {
		t.order(10_000+2*i, o)
	}
}

func (t *wooOrders) order(id int, o Order) {
	customer, user := t.shop.Customers[o.Customer], wooUser(o.Customer)
	if customer.Guest {
		user = 0
	}
	t.orders.add(id, wooStatus[o.Status], o.Currency, "shop_order", t.shop.total(o), user, customer.Email, o.At, 0)
	source := wooSources[o.Customer*len(o.Lines)%len(wooSources)]
	if customer.Staff {
		source = "admin"
	}
	t.meta.add(id, "_wc_order_attribution_source_type", source)
	t.meta.add(id, "_wc_order_attribution_utm_source", "(direct)")
	t.sell(id, o, 1, o.At, func(l Line) int { return l.Quantity })
	if !slices.ContainsFunc(o.Lines, func(l Line) bool { return o.back(l) > 0 }) {
		return
	}
	later := o.At.AddDate(0, 0, 9)
	t.orders.add(id+1, "wc-completed", o.Currency, "shop_order_refund", -1.0, user, nil, later, id)
	t.sell(id+1, o, -1, later, o.back)
}

// sell adds the lines of an order or, with the sign -1, of its refund.
func (t *wooOrders) sell(id int, o Order, sign int, at time.Time, pieces func(Line) int) {
	for _, l := range o.Lines {
		quantity := sign * pieces(l)
		if quantity == 0 {
			continue
		}
		t.items++
		revenue := inCurrency(t.shop.Products[l.Product].Price, o) * float64(quantity)
		variation := 0
		if l.Variant > 0 {
			variation = wooProduct(l.Product) + l.Variant
		}
		t.lines.add(t.items, id, wooProduct(l.Product), variation, wooCustomer(o.Customer), at, quantity, revenue, revenue*1.2)
	}
}
