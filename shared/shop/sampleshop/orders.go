package sampleshop

import "time"

// order is a part of a customer's purchases. lines are indexes in shop.products.
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
	linesPerOrder  = 12 // at most, without repeated purchases
	firstOrderYear = 2023
)

// orders spreads a customer's purchases over orders, oldest first. Now and then it repeats a product of the order
// before. number is the first order's.
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
