package sampleshop

import (
	"cmp"
	"math/bits"
	"slices"
)

// rating of one product, by its index in shop.products.
type rating struct {
	product int
	value   int // 1 to 5, or 0 if it is bought and not rated
}

// baskets goes through the customers in order and makes the purchases and ratings of each. All memory is reused from
// customer to customer.
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

// windowSize is the least number of products that a customer looks at. In a shop with more, each customer sees a
// drawn part of them. So a rating costs the same in a shop of any size.
const windowSize = 512

func (s *shop) baskets() *baskets { return &baskets{shop: s, chance: newChance(s.Seed)} }

// step makes the next customer and their purchases in ascending order of product code. Some have none. The slice is
// valid until the next step. ok is false after the last customer.
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

// ratings is the customer's share of Options.Ratings, in proportion to their weight: at least 1, at most all
// products. The rounding is carried on, so that the sum is exact.
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
	best(b.offers, all)
	b.bought = b.bought[:0]
	for _, o := range b.offers[:all] {
		b.bought = append(b.bought, rating{product: o.product})
	}
	slices.SortFunc(b.bought, func(x, y rating) int { return cmp.Compare(x.product, y.product) })
	// Which of the bought products stay without a rating is chance, and not the least liked ones (selection
	// sampling, Knuth, The Art of Computer Programming 3.4.2, algorithm S).
	for i := range b.bought {
		if c.below(len(b.bought)-i) < rated {
			affinity := u.taste.affinity(b.shop.products[b.bought[i].product].taste)
			b.bought[i].value = c.rate(b.shop.TasteStrength, affinity)
			rated--
		}
	}
	return b.bought
}

// best moves the n offers of the most appeal to the front, in no order (Hoare's selection).
func best(offers []offer, n int) {
	for low, high := 0, len(offers)-1; low < high; {
		pivot := offers[(low+high)/2].appeal
		i, j := low, high
		for i <= j {
			for offers[i].appeal > pivot {
				i++
			}
			for offers[j].appeal < pivot {
				j--
			}
			if i <= j {
				offers[i], offers[j] = offers[j], offers[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n-1 <= j:
			high = j
		case n-1 >= i:
			low = i
		default:
			return
		}
	}
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
