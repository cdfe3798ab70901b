package training

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reason says which part of the training row's contract a row broke; "" is none.
type Reason string

const (
	NoCustomerNumber  Reason = "no-customer-number"    // NULL, or beyond int32
	NoProductCode     Reason = "no-product-code"       // NULL or blank
	NoRating          Reason = "no-rating"             // NULL
	RatingOutOfRange  Reason = "rating-out-of-range"   // not 1 to 5
	DuplicateRating   Reason = "duplicate-rating"      // the customer has rated the product already
	UnknownCustomer   Reason = "unknown-customer"      // not in customers
	UnknownProduct    Reason = "unknown-product"       // not in products
	AmbiguousProduct  Reason = "ambiguous-product"     // several products have its code but for case, none has it exactly
	BadText           Reason = "bad-text"              // over 255 characters, a NUL character, or no UTF-8
	DuplicateProduct  Reason = "duplicate-product"     // several products have its code, but for blanks around it
	IncompleteAddress Reason = "incomplete-address"    // the customer's city or country is missing
	BadCreditLimit    Reason = "bad-credit-limit"      // does not fit DECIMAL(10,2)
	IncompleteProduct Reason = "incomplete-product"    // the product's line or scale is missing
	BadQuantity       Reason = "bad-quantity-in-stock" // missing, or beyond int32
	BadPrice          Reason = "bad-price"             // missing, or does not fit DECIMAL(10,2)
)

// Customer is the part of an Example that comes from the customer.
type Customer struct {
	City, State, PostalCode, Country string
	CreditLimit                      *int64
}

// Product is the part of an Example that comes from the product.
type Product struct {
	Code, Line, Scale string
	QuantityInStock   int32
	BuyPrice, MSRP    int64
}

// CleanCustomer trims and checks a customer.
func CleanCustomer(raw *RawCustomer) (Customer, Reason) {
	customer := Customer{
		City: clean(raw.City), State: clean(raw.State), PostalCode: clean(raw.PostalCode), Country: clean(raw.Country),
	}
	if !sound(customer.City, customer.State, customer.PostalCode, customer.Country) {
		return Customer{}, BadText
	}
	if customer.City == "" || customer.Country == "" {
		return Customer{}, IncompleteAddress
	}
	if raw.CreditLimit != "" {
		hundredths, err := ParseDecimal(raw.CreditLimit)
		if err != nil {
			return Customer{}, BadCreditLimit
		}
		customer.CreditLimit = &hundredths
	}
	return customer, ""
}

// CleanProduct trims and checks a product; its code is trimmed even if the rest is bad.
func CleanProduct(raw *RawProduct) (Product, Reason) {
	product := Product{Code: clean(raw.ProductCode), Line: clean(raw.ProductLine), Scale: clean(raw.ProductScale)}
	if !sound(product.Code, product.Line, product.Scale) {
		return product, BadText
	}
	if product.Line == "" || product.Scale == "" {
		return product, IncompleteProduct
	}
	quantity, err := strconv.ParseInt(raw.QuantityInStock, 10, 32)
	if err != nil {
		return product, BadQuantity
	}
	product.QuantityInStock = int32(quantity)
	if product.BuyPrice, err = ParseDecimal(raw.BuyPrice); err != nil {
		return product, BadPrice
	}
	if product.MSRP, err = ParseDecimal(raw.MSRP); err != nil {
		return product, BadPrice
	}
	return product, ""
}

// CleanRating checks what a rating says by itself, without its customer and product. The code comes trimmed.
func CleanRating(raw *RawRating) (customer int32, product string, rating int32, reason Reason) {
	product = clean(raw.ProductCode)
	switch {
	case raw.CustomerNumber == nil || *raw.CustomerNumber < math.MinInt32 || *raw.CustomerNumber > math.MaxInt32:
		return 0, product, 0, NoCustomerNumber
	case product == "":
		return 0, product, 0, NoProductCode
	case !sound(product):
		return 0, product, 0, BadText
	case raw.ProductRating == nil:
		return 0, product, 0, NoRating
	case *raw.ProductRating < 1 || *raw.ProductRating > 5:
		return 0, product, 0, RatingOutOfRange
	}
	return int32(*raw.CustomerNumber), product, int32(*raw.ProductRating), ""
}

// Join makes the training row of a rating.
func Join(number int32, customer *Customer, product *Product, rating int32) Row {
	return Row{
		City: customer.City, State: customer.State, PostalCode: customer.PostalCode, Country: customer.Country,
		CreditLimit: customer.CreditLimit,
		ProductCode: product.Code, ProductLine: product.Line, ProductScale: product.Scale,
		QuantityInStock: product.QuantityInStock, BuyPrice: product.BuyPrice, MSRP: product.MSRP,
		ProductRating:  rating,
		CustomerNumber: number,
	}
}

func clean(text string) string { return strings.TrimSpace(text) }

// maxText is as long as a text may be, in characters: more than any of the shop's columns holds, and short
// enough for an index of PostgreSQL, which takes countries and products.
const maxText = 255

// sound tells whether Parquet, PostgreSQL and JSON can all carry the texts: neither of the first two takes what
// is no UTF-8, and PostgreSQL takes no NUL.
func sound(texts ...string) bool {
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 || utf8.RuneCountInString(text) > maxText {
			return false
		}
	}
	return true
}
