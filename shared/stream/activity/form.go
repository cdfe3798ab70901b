package activity

import (
	"cmp"
	"fmt"
	"slices"

	"recsys/shared/contract/shape"
)

// Form says how the records of one shop are spelled. It is not changed after FormOf.
type Form struct {
	shop              shape.Shop
	customer, product names
	columns           []shape.Column // the features, and the group if it is none
	features          int            // how many of the columns are features
	members           map[string]int // the place of a member's column
}

// names are the members that may hold one value. The first one goes before the others.
type names []string

// labMembers are the members of the lab's records that are not named as the columns are.
var labMembers = map[string]string{"creditLimit": "credit_limit"}

// FormOf returns the form of a shop's records. The members of the lab's are customer_number, product_code, city, country and
// credit_limit. Those of a shop with a file are customer, product, and its features by the names of their columns.
func FormOf(shop shape.Shop) *Form {
	f := &Form{shop: shop, customer: names{"customer", "customer_number"}, product: names{"product", "product_code"}, members: map[string]int{}}
	f.columns = shape.Features(shop.CustomerColumns)
	f.features = len(f.columns)
	if i := slices.IndexFunc(shop.CustomerColumns, func(c shape.Column) bool { return c.Name == shop.Group && !c.IsFeature() }); i >= 0 {
		f.columns = append(f.columns, shop.CustomerColumns[i])
	}
	member := func(c shape.Column) string { return c.Name }
	if shop.IsLab() {
		f.customer, f.product = f.customer[1:], f.product[1:]
		member = func(c shape.Column) string { return cmp.Or(labMembers[c.Name], c.Name) }
	}
	for i, column := range f.columns {
		f.members[member(column)] = i
	}
	return f
}

// Features returns the columns that models learn from, in the order of Record.Features.
func (f *Form) Features() []shape.Column { return f.columns[:f.features] }

// Members returns the names of the members that a record of this shop is read for, each with its column: the customer's id, the
// features and the group.
func (f *Form) Members(yield func(member string, column shape.Column) bool) {
	if !yield(f.customer[0], shape.Column{Name: f.shop.Customer.Name, Type: f.shop.Customer.Type}) {
		return
	}
	byPlace := make([]string, len(f.columns))
	for member, i := range f.members {
		byPlace[i] = member
	}
	for i, column := range f.columns {
		if !yield(byPlace[i], column) {
			return
		}
	}
}

// Customer returns the name of the member that holds the customer's id.
func (f *Form) Customer() string { return f.customer[0] }

// Product returns the name of the member of a history's entry that holds the product's id.
func (f *Form) Product() string { return f.product[0] }

// idValue is an id, "" if there is none.
type idValue struct {
	text  string
	named bool // by the first of its names
}

// read takes the id of a member that has one of the names.
func (v *idValue) read(m member, of names, kind shape.Type) (err error) {
	place := slices.Index(of, m.key)
	if place < 0 {
		return nil
	}
	id, err := idOf(m.value, kind)
	if err != nil {
		return fmt.Errorf("%s: %w", m.key, err)
	}
	if place == 0 || !v.named {
		v.text, v.named = id, place == 0
	}
	return nil
}
