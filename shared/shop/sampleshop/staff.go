package sampleshop

import (
	"fmt"
	"strings"
)

type employee struct {
	number                      int
	lastName, firstName, office string
	reportsTo                   int // 0 is NULL
	title                       string
}

// The shop has one president, one manager an office, and representatives who report to the manager.
const (
	president       = 1001
	firstManager    = 1010
	firstSeller     = 1100
	representatives = 21
)

// representative draws who looks after a customer.
func representative(c *chance) int { return firstSeller + c.below(representatives)*7 }

// staff lists everyone, superiors first.
func (s *shop) staff() []employee {
	c := newChance(s.Seed).of(kindStaff, 0)
	hire := func(number, office, reportsTo int, title string) employee {
		return employee{number, pick(c, lastNames), pick(c, firstNames), fmt.Sprint(office + 1), reportsTo, title}
	}
	all := []employee{hire(president, 0, 0, "President")}
	for office := range offices {
		title := fmt.Sprintf("Sales Manager (%s)", offices[office].territory)
		all = append(all, hire(firstManager+office, office, president, title))
	}
	for i := range representatives {
		office := i % len(offices)
		all = append(all, hire(firstSeller+i*7, office, firstManager+office, "Sales Rep"))
	}
	return all
}

// email is made of the ASCII letters of the name.
func (e employee) email() string {
	ascii := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(e.firstName+e.lastName))
	return ascii + "@shop.example"
}
