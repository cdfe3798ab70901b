package training

import (
	"cmp"

	"recsys/shared/contract/shape"
)

// Reason names the part of the training row's contract that a row broke. "" is none.
type Reason string

const (
	// Of interactions.
	Guest              Reason = "guest"                        // NULL or blank for a customer, or 0 in a database
	NoCustomerNumber   Reason = "no-customer-number"           // NULL, in the lab's shop
	CustomerOutOfRange Reason = "customer-number-out-of-range" // no number, or beyond the type of the ids
	UnknownCustomer    Reason = "unknown-customer"             // not in customers
	AmbiguousCustomer  Reason = "ambiguous-customer"           // several customers have its id but for case, or its rows do not lie together
	NoProductCode      Reason = "no-product-code"              // NULL or blank
	ProductOutOfRange  Reason = "product-number-out-of-range"  // no number, or beyond the type of the ids
	UnknownProduct     Reason = "unknown-product"              // not in products
	AmbiguousProduct   Reason = "ambiguous-product"            // several products have its code but for case, none has it exactly
	NoType             Reason = "no-type"                      // NULL or blank
	BadType            Reason = "bad-type"                     // longer than MaxKind, or not of letters, digits, '-', '_', '.' and blanks
	Refund             Reason = "refund"                       // an interaction of the type refund
	Cancelled          Reason = "cancelled"                    // an interaction of the type cancelled
	BadTime            Reason = "bad-time"                     // no time, such as 0000-00-00
	TimeBefore1971     Reason = "time-before-1971"             // 1970 is the zero of clocks that were not set
	FutureTime         Reason = "future-time"                  // more than a day after the run's start
	NegativeAmount     Reason = "negative-quantity"            //
	ZeroAmount         Reason = "zero-quantity"                //
	BadAmount          Reason = "bad-quantity"                 // no number, or beyond decimal(12,4)
	BadValue           Reason = "bad-value"                    // no number, or beyond decimal(18,4)
	NoRating           Reason = "no-rating"                    // NULL
	RatingOutOfRange   Reason = "rating-out-of-range"          // not 1 to 5, or not 0.5 to 5 if ratings are fractional
	RatingTooPrecise   Reason = "rating-too-precise"           // more than two decimals
	DuplicateRating    Reason = "duplicate-rating"             // the customer has rated the product already

	// Of texts.
	TextTooLong Reason = "text-too-long"  // over 255 characters
	TextWithNUL Reason = "text-with-nul"  // a NUL character
	TextNotUTF8 Reason = "text-not-utf-8" // bytes that are no UTF-8

	// Of customers and products.
	DuplicateCustomer     Reason = "duplicate-customer"             // several customers have its id, with other values
	DuplicateProduct      Reason = "duplicate-product"              // several products have its code, but for blanks around it
	IncompleteAddress     Reason = "incomplete-address"             // the customer's city or country is missing
	CreditLimitOutOfRange Reason = "credit-limit-out-of-range"      // does not fit DECIMAL(10,2)
	IncompleteProduct     Reason = "incomplete-product"             // the product's line or scale is missing
	NoQuantity            Reason = "no-quantity-in-stock"           // NULL
	QuantityOutOfRange    Reason = "quantity-in-stock-out-of-range" // beyond int32
	NoPrice               Reason = "no-price"                       // a price is NULL
	PriceOutOfRange       Reason = "price-out-of-range"             // does not fit DECIMAL(10,2)
	BadCustomer           Reason = "bad-customer"                   // a value of the customer does not fit its column's type
	BadProduct            Reason = "bad-product"                    // a value of the product does not fit its column's type
)

// RulesOfFiles holds the rules that a shop with a file has, unless its file says otherwise. Reasons without an entry are
// rejected. The lab's shop rejects everything.
var RulesOfFiles = map[Reason]shape.Rule{
	Guest: shape.Skip, UnknownProduct: shape.Skip, Refund: shape.Skip, Cancelled: shape.Skip, ZeroAmount: shape.Skip,
}

// ReasonsOfFiles are the reasons that a shop file may give a rule for.
var ReasonsOfFiles = []Reason{
	Guest, CustomerOutOfRange, UnknownCustomer, AmbiguousCustomer, NoProductCode, ProductOutOfRange, UnknownProduct,
	AmbiguousProduct, NoType, BadType, Refund, Cancelled, BadTime, TimeBefore1971, FutureTime, NegativeAmount, ZeroAmount,
	BadAmount, BadValue, NoRating, RatingOutOfRange, RatingTooPrecise, DuplicateRating, TextTooLong, TextWithNUL,
	TextNotUTF8, DuplicateCustomer, DuplicateProduct, BadCustomer, BadProduct,
}

// RuleFor returns what the shop does with rows that have the fault.
func RuleFor(shop shape.Shop, reason Reason) shape.Rule {
	if shop.IsLab() {
		return shape.Reject
	}
	return cmp.Or(shop.Cleaning.Rules[string(reason)], RulesOfFiles[reason], shape.Reject)
}
