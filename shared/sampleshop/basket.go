package sampleshop

import (
	"cmp"
	"math/bits"
	"slices"
	"time"
)

// rating of one product, by its index in shop.products.
type rating struct {
	product int
	value   int // 1 to 5; 0 is bought and not rated
}

// baskets goes through the customers in order and says what each of them bought and how they rated it.
// All memory is reused from customer to customer.
type baskets struct {
	shop    *shop
	chance  *chance
	next    int    // index of the next customer
	weights uint64 // of the customers so far
	given   int    // ratings so far
	offers  []offer
	bought  []rating
}

type offer struct {
	product int
	appeal  float64
}

// windowSize is the least number of products that a customer looks at; in a shop with more, each customer
// sees a part of them, drawn for them, so that a rating costs the same however many products there are.
const windowSize = 512

func (s *shop) baskets() *baskets { return &baskets{shop: s, chance: newChance(s.Seed)} }

// step makes the next customer, and what they bought in ascending order of product code: none for some. The
// slice is valid until the next step. ok is false after the last customer.
func (b *baskets) step() (u customer, bought []rating, ok bool) {
	if b.next == b.shop.Customers {
		return customer{}, nil, false
	}
	index := b.next
	b.next++
	u = b.shop.customer(b.chance, index)
	if !b.shop.hasOrders(b.chance, index) {
		return u, nil, true
	}
	return u, b.buy(u, index), true
}

// ratings is the customer's share of all of Options.Ratings: in proportion to their weight, at least 1, at
// most all products; the rounding is carried on, so that the sum is exact.
func (b *baskets) ratings(index int) int {
	s := b.shop
	b.weights += s.buyerWeight(b.chance, index)
	high, low := bits.Mul64(uint64(s.Ratings-s.buyers), b.weights)
	share, _ := bits.Div64(high, low, s.weights)
	n := min(int(share)-b.given+1, s.Products-1)
	b.given += n - 1
	return n
}

func (b *baskets) buy(u customer, index int) []rating {
	rated := b.ratings(index)
	c := b.chance.of(kindBasket, index)
	all := min(rated+c.below(rated/4+2), b.shop.Products-1)
	b.offer(u, all)
	slices.SortFunc(b.offers, func(x, y offer) int { return cmp.Compare(y.appeal, x.appeal) })
	b.bought = b.bought[:0]
	for _, o := range b.offers[:all] {
		b.bought = append(b.bought, rating{product: o.product})
	}
	// Which of the bought products stay without a rating is chance, and not the least liked ones.
	for i := range b.bought[:rated] {
		j := i + c.below(len(b.bought)-i)
		b.bought[i], b.bought[j] = b.bought[j], b.bought[i]
		affinity := u.taste.affinity(b.shop.products[b.bought[i].product].taste)
		b.bought[i].value = c.rate(b.shop.TasteStrength, affinity)
	}
	slices.SortFunc(b.bought, func(x, y rating) int { return cmp.Compare(x.product, y.product) })
	return b.bought
}

// offer fills b.offers with the products that the customer looks at, and how much each appeals to them.
func (b *baskets) offer(u customer, atLeast int) {
	s, c := b.shop, b.chance
	size := min(max(windowSize, 4*atLeast), s.Products)
	first, stride := c.below(s.Products), s.stride(c)
	b.offers = b.offers[:0]
	for i := range size {
		product := (first + i*stride) % s.Products
		if product == s.unbought {
			continue
		}
		p := &s.products[product]
		appeal := float64(float64(choiceAffinity*s.TasteStrength)*u.taste.affinity(p.taste)) +
			float64(choicePopularity*p.popularity) + c.bell()
		b.offers = append(b.offers, offer{product, appeal})
	}
}

// stride draws a step that visits every product once before any twice: one without a common divisor.
func (s *shop) stride(c *chance) int {
	for {
		stride := c.between(1, s.Products)
		a, b := stride, s.Products
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return stride
		}
	}
}

// order is a part of what a customer bought: lines are indexes in shop.products.
type order struct {
	number                     int
	ordered, required, shipped time.Time // shipped is zero unless status says it was
	status, remark             string
	lines                      []orderLine
	total                      int // in cents
}

type orderLine struct{ product, quantity, price int }

const (
	firstOrder     = 10_100
	linesPerOrder  = 12 // at most, without what is bought again
	firstOrderYear = 2023
)

// orders spreads what a customer bought over orders, oldest first; now and then a product of the order
// before is bought again. number is the first order's.
func (s *shop) orders(c *chance, bought []rating, number int, into []order) []order {
	into = into[:0]
	if len(bought) == 0 {
		return into
	}
	day := time.Date(firstOrderYear, 1, 2, 0, 0, 0, 0, time.UTC).AddDate(0, 0, c.below(500))
	gap := max(1, min(60, 5_600/len(bought))) // days: all orders lie within about two years
	for len(bought) > 0 {
		n := min(len(bought), c.between(3, linesPerOrder))
		var o order
		if len(into) < cap(into) {
			o.lines = into[:len(into)+1][len(into)].lines[:0]
		}
		o.number, o.ordered = number, day
		for _, r := range bought[:n] {
			o.lines = append(o.lines, s.line(c, r.product))
		}
		if len(into) > 0 && c.oneIn(2) {
			o.lines = append(o.lines, s.line(c, into[len(into)-1].lines[0].product))
		}
		for _, l := range o.lines {
			o.total += l.quantity * l.price
		}
		s.deliver(c, &o)
		into, bought = append(into, o), bought[n:]
		number, day = number+1, day.AddDate(0, 0, c.between(1, gap))
	}
	return into
}

func (s *shop) line(c *chance, product int) orderLine {
	return orderLine{product, c.between(1, 60), s.products[product].msrp * c.between(80, 100) / 100}
}

func (s *shop) deliver(c *chance, o *order) {
	o.required, o.status = o.ordered.AddDate(0, 0, c.between(6, 12)), "Shipped"
	switch c.below(20) {
	case 0:
		o.status = "In Process"
	case 1:
		o.status = "Cancelled"
	case 2:
		o.status = "On Hold"
	default:
		o.shipped = o.ordered.AddDate(0, 0, c.between(1, 5))
	}
	if c.oneIn(8) {
		o.remark = pick(c, remarks)
	}
}
