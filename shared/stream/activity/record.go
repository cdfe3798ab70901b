package activity

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Session is an activity record as a producer writes it in its plain spelling. Parse reads these members, and more spellings of
// their values.
type Session struct {
	SessionID string `json:"session_id"`
	// CustomerNumber is a whole number up to 2^53.
	CustomerNumber int64   `json:"customer_number"`
	City           string  `json:"city"`
	Country        string  `json:"country"`
	CreditLimit    float64 `json:"credit_limit"`
	// BrowseHistory is in the order in which the products were seen. It may be empty.
	BrowseHistory []Browse `json:"browse_history"`
}

// Browse is one product that the visitor looked at.
type Browse struct {
	ProductCode string `json:"product_code"`
	// Quantity is a number, or a string that holds one.
	Quantity       any  `json:"quantity"`
	InShoppingCart bool `json:"in_shopping_cart"`
}

// Record is an activity record, read. It refers to the bytes that it was parsed from.
type Record struct {
	body []byte // the record on one line without its closing brace and without members of our names

	// Session tells the records of one visit from others: by the session's id, or by the customer if there is none.
	Session string
	// Customer is the customer's id as the shop's rows have it, nil if the visitor is not known. 0 is a customer like any
	// other. The id may be none that the database could hold.
	Customer *string
	// Features holds the values of Form.Features, in their order.
	Features []Feature
	// Group is the value of the shop's Group, "" where it is missing or says nothing.
	Group string
	// Products are the different products of the session, in the order in which each was last seen. At most
	// MaxProducts, the latest. Codes that no database could hold are left out.
	Products []Product
}

// Feature is the value of one of the customer's columns.
type Feature struct {
	Column string
	Text   string  // of a category, "" where it is missing or says nothing
	Number float64 // of a number or a price, NaN where it is missing or no finite number
	Given  bool    // the record holds the column: a number, or a text that may be empty or unknown to the model
}

// Product is one product of a session. Of one that is in the history more than once, the cart counts if any entry is in
// it, and the largest quantity.
type Product struct {
	Code   string
	InCart bool
	// Quantity is 0 to MaxQuantity, rounded down. It is 1 if there is none that can be read.
	Quantity int
}

// HasFeatures reports whether the record holds all features of the shop. A shop without features has none.
func (r *Record) HasFeatures() bool {
	return len(r.Features) > 0 && !slices.ContainsFunc(r.Features, func(f Feature) bool { return !f.Given })
}

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

// distinct keeps the last place of each product, with the facts of its other places.
func distinct(seen []Product) []Product {
	place := make(map[string]int, min(len(seen), MaxProducts))
	kept := len(seen) // seen[kept:] is kept, from behind
	for i := len(seen) - 1; i >= 0; i-- {
		product := seen[i]
		at, repeated := place[product.Code]
		if !repeated {
			if len(place) == MaxProducts {
				continue
			}
			kept--
			seen[kept], place[product.Code] = product, kept
			continue
		}
		seen[at].InCart = seen[at].InCart || product.InCart
		seen[at].Quantity = max(seen[at].Quantity, product.Quantity)
	}
	return seen[kept:]
}
