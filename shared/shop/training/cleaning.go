package training

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"recsys/shared/contract/lake"
)

// Reason names the part of the training row's contract that a row broke. "" is none.
type Reason string

const (
	NoCustomerNumber      Reason = "no-customer-number"             // NULL
	CustomerOutOfRange    Reason = "customer-number-out-of-range"   // beyond int32
	NoProductCode         Reason = "no-product-code"                // NULL or blank
	NoRating              Reason = "no-rating"                      // NULL
	RatingOutOfRange      Reason = "rating-out-of-range"            // not 1 to 5, or not 0.5 to 5 if ratings are fractional
	RatingTooPrecise      Reason = "rating-too-precise"             // more than two decimals
	DuplicateRating       Reason = "duplicate-rating"               // the customer has rated the product already
	UnknownCustomer       Reason = "unknown-customer"               // not in customers
	UnknownProduct        Reason = "unknown-product"                // not in products
	AmbiguousProduct      Reason = "ambiguous-product"              // several products have its code but for case, none has it exactly
	TextTooLong           Reason = "text-too-long"                  // over 255 characters
	TextWithNUL           Reason = "text-with-nul"                  // a NUL character
	TextNotUTF8           Reason = "text-not-utf-8"                 // bytes that are no UTF-8
	DuplicateProduct      Reason = "duplicate-product"              // several products have its code, but for blanks around it
	IncompleteAddress     Reason = "incomplete-address"             // the customer's city or country is missing
	CreditLimitOutOfRange Reason = "credit-limit-out-of-range"      // does not fit DECIMAL(10,2)
	IncompleteProduct     Reason = "incomplete-product"             // the product's line or scale is missing
	NoQuantity            Reason = "no-quantity-in-stock"           // NULL
	QuantityOutOfRange    Reason = "quantity-in-stock-out-of-range" // beyond int32
	NoPrice               Reason = "no-price"                       // a price is NULL
	PriceOutOfRange       Reason = "price-out-of-range"             // does not fit DECIMAL(10,2)
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
	if reason := flawIn(customer.City, customer.State, customer.PostalCode, customer.Country); reason != "" {
		return Customer{}, reason
	}
	if customer.City == "" || customer.Country == "" {
		return Customer{}, IncompleteAddress
	}
	if raw.CreditLimit != "" {
		hundredths, _, err := ParseHundredths(raw.CreditLimit)
		if err != nil {
			return Customer{}, CreditLimitOutOfRange
		}
		customer.CreditLimit = &hundredths
	}
	return customer, ""
}

// CleanProduct trims and checks a product. It trims the code even if the rest is bad.
func CleanProduct(raw *RawProduct) (Product, Reason) {
	product := Product{Code: clean(raw.ProductCode), Line: clean(raw.ProductLine), Scale: clean(raw.ProductScale)}
	if reason := flawIn(product.Code, product.Line, product.Scale); reason != "" {
		return product, reason
	}
	switch {
	case product.Line == "" || product.Scale == "":
		return product, IncompleteProduct
	case raw.QuantityInStock == "":
		return product, NoQuantity
	case raw.BuyPrice == "" || raw.MSRP == "":
		return product, NoPrice
	}
	var err error
	if product.QuantityInStock, err = parseQuantity(raw.QuantityInStock); err != nil {
		return product, QuantityOutOfRange
	}
	if product.BuyPrice, _, err = ParseHundredths(raw.BuyPrice); err != nil {
		return product, PriceOutOfRange
	}
	if product.MSRP, _, err = ParseHundredths(raw.MSRP); err != nil {
		return product, PriceOutOfRange
	}
	return product, ""
}

// CleanedRating is a rating by itself, without its customer and product.
type CleanedRating struct {
	CustomerNumber int32
	ProductCode    string // trimmed
	Rating         int32  // in the unit of its RatingType
}

// CleanRating checks a rating by itself.
func CleanRating(raw *RawRating, of RatingType) (CleanedRating, Reason) {
	rating := CleanedRating{ProductCode: clean(raw.ProductCode)}
	customer, err := strconv.ParseInt(raw.CustomerNumber, 10, 32)
	switch {
	case raw.CustomerNumber == "":
		return rating, NoCustomerNumber
	case err != nil:
		return rating, CustomerOutOfRange
	case rating.ProductCode == "":
		return rating, NoProductCode
	}
	if reason := flawIn(rating.ProductCode); reason != "" {
		return rating, reason
	}
	if raw.ProductRating == "" {
		return rating, NoRating
	}
	hundredths, exact, err := ParseHundredths(raw.ProductRating)
	switch {
	case err != nil || hundredths < of.lowest() || hundredths > highest:
		return rating, RatingOutOfRange
	case !exact || int32(hundredths)%of.Hundredths() != 0:
		return rating, RatingTooPrecise
	}
	rating.CustomerNumber, rating.Rating = int32(customer), int32(hundredths)/of.Hundredths()
	return rating, ""
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

// flawIn returns why Parquet, PostgreSQL or JSON cannot carry one of the texts, or "". Neither of the first two takes
// bytes that are no UTF-8, and PostgreSQL takes no NUL.
func flawIn(texts ...string) Reason {
	for _, text := range texts {
		switch {
		case !utf8.ValidString(text):
			return TextNotUTF8
		case strings.IndexByte(text, 0) >= 0:
			return TextWithNUL
		case utf8.RuneCountInString(text) > lake.MaxText:
			return TextTooLong
		}
	}
	return ""
}
