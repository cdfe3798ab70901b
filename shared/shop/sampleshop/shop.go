package sampleshop

import (
	"fmt"
	"slices"
	"strings"
)

// shop is the part that is held in memory: the options and the products. Customers are made when they are needed.
type shop struct {
	Options
	products []product
	unbought int // index of the product that nobody buys
	places   []taste
	credit   taste
	weights  uint64 // sum of buyerWeight over all customers with orders
	buyers   int
}

type product struct {
	code, name, line, scale, vendor, text string
	stock                                 int
	buyPrice, msrp                        int // in cents
	taste                                 taste
	popularity                            float64
}

func newShop(o Options) (*shop, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("making the sample shop: %w", err)
	}
	s := &shop{Options: o, unbought: o.Products / 2, credit: newChance(o.Seed).part(kindCredit, 0)}
	s.makePlaces()
	s.makeProducts()
	c := newChance(o.Seed)
	for i := range o.Customers {
		if s.hasOrders(c, i) {
			s.buyers++
			s.weights += s.buyerWeight(c, i)
		}
	}
	return s, nil
}

// makePlaces draws the part of the taste that comes with each city and its country.
func (s *shop) makePlaces() {
	c := newChance(s.Seed)
	for i, city := range cities {
		country := c.part(kindCountry, city.country)
		s.places = append(s.places, taste{}.plus(weightCountry, country).plus(weightCity, c.part(kindCity, i)))
	}
}

func (s *shop) makeProducts() {
	c := newChance(s.Seed)
	price := c.part(kindPrice, 0)
	for i := range s.Products {
		own := c.part(kindProduct, i)
		line, scale := c.below(len(lines)), c.below(len(scales))
		p := s.describe(c, i, line, scale)
		p.popularity = c.bell()
		expensive := float64(p.msrp-10_000) / 5_000
		p.taste = taste{}.plus(weightProduct, own).plus(weightPrice*expensive, price).
			plus(weightLine, c.part(kindLine, line)).plus(weightScale, c.part(kindScale, scale)).unit()
		s.products = append(s.products, p)
	}
	slices.SortFunc(s.products, func(a, b product) int { return strings.Compare(a.code, b.code) })
}

func (s *shop) describe(c *chance, number, line, scale int) product {
	var p product
	denominator := strings.TrimPrefix(scales[scale], "1:")
	p.code = fmt.Sprintf("%s%s_%d", lines[line].prefix, denominator, 1000+number*37+c.below(37))
	p.name = fmt.Sprintf("%d %s %s", c.between(1898, 1996), pick(c, makers), pick(c, models))
	p.line, p.scale, p.vendor = lines[line].name, scales[scale], pick(c, vendors)
	p.text = fmt.Sprintf("With %s, %s and %s.", pick(c, features), pick(c, features), pick(c, features))
	if c.oneIn(12) {
		p.scale += " "
	}
	p.stock = c.between(0, 9_999)
	p.buyPrice = c.between(1_500, 10_500)
	p.msrp = p.buyPrice * c.between(125, 220) / 100
	return p
}
