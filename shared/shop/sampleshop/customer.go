package sampleshop

import (
	"fmt"
	"strings"
)

const noCredit = -1

// customer is made from its number alone, see chance. Text is as the database holds it, warts included.
type customer struct {
	number                                 int
	name, lastName, firstName, phone       string
	address, address2, city, state, postal string
	country                                string
	stateIsNull, postalIsNull              bool
	credit                                 int // in cents. noCredit is NULL
	representative                         int // employeeNumber. 0 is NULL
	place                                  int // index in cities
	taste                                  taste
}

// firstCustomer is the lowest customerNumber. Between two neighbours lie one to five.
const firstCustomer = 101

func (s *shop) customerNumber(c *chance, index int) int {
	return firstCustomer + 3*index + c.of(kindCustomer, index).below(3)
}

// hasOrders holds for four of every five customers. A rest of less than five all have orders.
func (s *shop) hasOrders(c *chance, index int) bool {
	return index >= s.Customers/5*5 || c.of(kindBuyer, index/5).below(5) != index%5
}

// buyerWeight is a customer's share of all ratings, against the sum over all: some rate ten times as much as others.
func (s *shop) buyerWeight(c *chance, index int) uint64 {
	c.of(kindWeight, index)
	return uint64(100 + min(c.below(1_000), c.below(1_000)))
}

func (s *shop) customer(c *chance, index int) customer {
	buyer := s.hasOrders(c, index)
	u := customer{number: s.customerNumber(c, index)}
	u.lastName, u.firstName = pick(c, lastNames), pick(c, firstNames)
	u.name = fmt.Sprintf(pick(c, shopForms), pick(c, lastNames))
	u.phone = fmt.Sprintf("+%d 555 %04d", c.between(1, 99), c.below(10_000))
	u.address = fmt.Sprintf("%d %s", c.between(1, 250), pick(c, streets))
	if c.oneIn(5) {
		u.address2 = fmt.Sprintf("Level %d", c.between(1, 12))
	}
	u.place = min(c.below(len(cities)), c.below(len(cities)))
	u.credit = c.between(150, 1_500) * 10_000
	personal := taste{c.bell(), c.bell(), c.bell(), c.bell()}.unit()
	wealth := float64(u.credit-8_250_000) / 3_900_000
	u.taste = s.places[u.place].plus(weightCredit*wealth, s.credit).plus(weightCustomer, personal).unit()
	if buyer {
		u.representative = representative(c)
	} else if c.oneIn(2) {
		u.credit = 0
	}
	u.wear(c, index)
	return u
}

// wear writes the address as people do: the warts. The first twenty customers show each wart twice, so that even a
// small shop has them. The others show them by chance.
func (u *customer) wear(c *chance, index int) {
	city := cities[u.place]
	home := countries[city.country]
	u.city, u.state, u.country, u.postal = city.name, city.state, home.name, fill(c, home.postal)
	u.stateIsNull, u.postalIsNull = u.state == "" && !c.oneIn(8), u.postal == ""
	wart := c.below(60)
	if index < 20 {
		wart = index % 10
	}
	switch wart {
	case 0:
		u.country += "  "
	case 1:
		u.city = strings.ToUpper(u.city)
	case 2:
		u.postal, u.postalIsNull = "", true
	case 3:
		u.country = strings.ToLower(u.country)
	case 4:
		u.credit = noCredit
	case 5:
		u.city += " "
	case 6:
		u.state, u.stateIsNull = "", true
	case 7:
		u.firstName += " "
	case 8:
		u.state, u.stateIsNull = "", false
	case 9:
		u.city, u.country = " "+u.city, strings.ToUpper(u.country)
	}
}

// fill writes a digit for each '#' and a letter for each '@' of a pattern.
func fill(c *chance, pattern string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '#':
			return rune('0' + c.below(10))
		case '@':
			return rune('A' + c.below(26))
		}
		return r
	}, pattern)
}
