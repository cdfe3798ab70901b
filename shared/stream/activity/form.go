package activity

import (
	"cmp"
	"errors"
	"fmt"
	"math"
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

// Product returns the name of the member of a history's entry that holds the product's id.
func (f *Form) Product() string { return f.product[0] }

// Read reads a record. The text of an error is the reason for rejecting it and quotes nothing of it.
func (f *Form) Read(object Object) (Record, error) {
	record := Record{Features: make([]Feature, f.features)}
	for i := range record.Features {
		record.Features[i] = Feature{Column: f.columns[i].Name, Number: math.NaN()}
	}
	var err error
	var customer idValue
	replaced := false
	for member := range members(object) {
		switch member.key {
		case "session_id":
			if meansSomething(member.value) {
				record.Session = "session " + text(member.value)
			}
		case "browse_history":
			if record.Products, err = f.products(member.value); err != nil {
				return record, fmt.Errorf("browse_history: %w", err)
			}
		case recommendedKey, similarKey, trendingKey, recommendationKey:
			replaced = true
		default:
			if err = customer.read(member, f.customer, f.shop.Customer.Type); err != nil {
				return record, err
			}
			if i, known := f.members[member.key]; known {
				f.take(&record, i, member.value)
			}
		}
	}
	if customer.text != "" {
		id := f.shop.Customer.Stored(customer.text)
		record.Customer = &id
		record.Session = cmp.Or(record.Session, "customer "+id)
	}
	if record.Session == "" {
		return record, errors.New("neither session_id nor " + f.customer[0] + ": nobody could use the answer")
	}
	record.body = body(object, replaced)
	return record, nil
}

// take notes the value of a column.
func (f *Form) take(record *Record, place int, value []byte) {
	column := f.columns[place]
	feature := featureOf(column, value)
	if column.Name == f.shop.Group {
		record.Group = feature.Text
	}
	if place < f.features {
		record.Features[place] = feature
	}
}

// products picks the products of a history. See Record.Products.
func (f *Form) products(history []byte) ([]Product, error) {
	if history[0] != '[' {
		if isNull(history) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: want a list", kind(history))
	}
	var seen []Product // as they come, repeats among them
	for entry := range elements(history) {
		if entry[0] != '{' {
			return nil, fmt.Errorf("an entry is %s: want an object", kind(entry))
		}
		product, err := f.entry(entry)
		if err != nil {
			return nil, err
		}
		if product.Code != "" {
			seen = append(seen, product)
		}
	}
	return distinct(seen), nil
}

func (f *Form) entry(entry []byte) (Product, error) {
	product := Product{Quantity: 1}
	var code idValue
	for member := range members(entry) {
		var err error
		switch member.key {
		case "in_shopping_cart":
			if product.InCart, err = flag(member.value); err != nil {
				err = fmt.Errorf("%s: %w", member.key, err)
			}
		case "quantity":
			product.Quantity = quantity(member.value)
		default:
			err = code.read(member, f.product, f.shop.Product.Type)
		}
		if err != nil {
			return product, err
		}
	}
	product.Code = storable(code.text)
	return product, nil
}

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
