package training

import (
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
)

// MaxKind is the length limit of an interaction's type, in bytes.
const MaxKind = 32

// Interaction is a cleaned interaction by itself, without its customer and product.
type Interaction struct {
	Customer string // as the source spells it, trimmed. A whole number has its shortest text
	Number   int64  // the customer, if the ids are whole numbers
	Product  string // as Customer
	Kind     string // in lower case. rating in the lab's shop
	At       int64  // Unix milliseconds, 0 if the time is not known
	Values   []parquet.Value
}

// Interactions cleans a shop's interactions.
type Interactions struct {
	shop  shape.Shop
	first int   // place of their first column in a training row
	late  int64 // Unix milliseconds after which a time is in the future
	lab   bool
	zero  bool // 0 is a customer. In databases it often stands for a guest
	// kinds has one copy of each type, by its text as it came.
	kinds map[string]string
}

const day = 24 * time.Hour

// NewInteractions returns the cleaning of a run. A day after the run's start is no future yet: the run takes some hours,
// and a shop's clock may be in another zone than it says.
func NewInteractions(shop shape.Shop, startedAt time.Time) *Interactions {
	return &Interactions{
		shop: shop, first: len(RowColumns(shop)) - len(shop.InteractionColumns),
		late: startedAt.Add(day).UnixMilli(), lab: shop.IsLab(), zero: shop.IsLab() || shop.InFiles(), kinds: map[string]string{},
	}
}

// Clean checks an interaction by itself. It uses the memory of the values that into has.
func (c *Interactions) Clean(raw Raw, into *Interaction) Reason {
	into.Kind, into.At, into.Values = shape.Rating, 0, into.Values[:0]
	if reason := c.customer(raw[0], into); reason != "" {
		return reason
	}
	if reason := c.product(raw[1], into); reason != "" {
		return reason
	}
	for i, column := range c.shop.InteractionColumns {
		value, reason := c.value(column, raw[2+i], into)
		if reason != "" {
			return reason
		}
		into.Values = append(into.Values, level(value, column, c.first+i))
	}
	return ""
}

func (c *Interactions) customer(text string, into *Interaction) Reason {
	if c.lab && text == "" {
		return NoCustomerNumber
	}
	if into.Customer = Trimmed(text); into.Customer == "" {
		return Guest
	}
	if !c.shop.Customer.Type.Whole() {
		return flawIn(into.Customer)
	}
	number, err := WholeID(c.shop.Customer.Type, into.Customer)
	switch {
	case err != nil:
		return CustomerOutOfRange
	case number == 0 && !c.zero:
		return Guest
	}
	into.Number = number
	return ""
}

func (c *Interactions) product(text string, into *Interaction) Reason {
	if into.Product = Trimmed(text); into.Product == "" {
		return NoProductCode
	}
	if !c.shop.Product.Type.Whole() {
		return flawIn(into.Product)
	}
	number, err := WholeID(c.shop.Product.Type, into.Product)
	if err != nil {
		return ProductOutOfRange
	}
	into.Product = strconv.FormatInt(number, 10)
	return ""
}

// WholeID reads a whole number as an id of a type.
func WholeID(t shape.Type, text string) (int64, error) {
	if t == shape.Int {
		return strconv.ParseInt(text, 10, 32)
	}
	return strconv.ParseInt(text, 10, 64)
}

// value cleans one column, and notes the type and the time.
func (c *Interactions) value(column shape.Column, text string, into *Interaction) (parquet.Value, Reason) {
	switch column.Role {
	case shape.Kind:
		return c.kind(text, into)
	case shape.Time:
		return c.time(column, Trimmed(text), into)
	case shape.Quantity:
		return quantity(column, Trimmed(text))
	case shape.Stars:
		return stars(column, Trimmed(text), into.Kind)
	default:
		value, fits := parse(column, Trimmed(text))
		if !fits {
			return value, BadValue
		}
		return value, ""
	}
}

func (c *Interactions) kind(text string, into *Interaction) (parquet.Value, Reason) {
	kind, known := c.kinds[text]
	if !known {
		kind = strings.Clone(strings.ToLower(Trimmed(text)))
		if kind == "" {
			return parquet.Value{}, NoType
		}
		if !fitsKind(kind) {
			return parquet.Value{}, BadType
		}
		if len(c.kinds) < maxKinds {
			c.kinds[strings.Clone(text)] = kind
		}
	}
	into.Kind = kind
	switch kind {
	case "refund":
		return parquet.Value{}, Refund
	case "cancelled", "canceled":
		return parquet.Value{}, Cancelled
	}
	return parquet.ValueOf(kind), ""
}

// maxKinds bounds the memory for spellings of types.
const maxKinds = 1000

func fitsKind(kind string) bool {
	other := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-_. ", r))
	}
	return len(kind) <= MaxKind && strings.IndexFunc(kind, other) < 0
}

// dawn is the first time that is believed, in Unix milliseconds: the start of 1971.
var dawn = time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func (c *Interactions) time(column shape.Column, text string, into *Interaction) (parquet.Value, Reason) {
	value, fits := parse(column, text)
	switch {
	case value.IsNull():
		return value, ""
	case !fits:
		return value, BadTime
	}
	switch into.At = value.Int64(); {
	case into.At < dawn:
		return value, TimeBefore1971
	case into.At > c.late:
		return value, FutureTime
	}
	return value, ""
}

func quantity(column shape.Column, text string) (parquet.Value, Reason) {
	value, fits := parse(column, text)
	switch {
	case value.IsNull():
		return value, ""
	case !fits:
		return value, BadAmount
	}
	switch units := wholeOf(value); {
	case units < 0:
		return value, NegativeAmount
	case units == 0:
		return value, ZeroAmount
	}
	return value, ""
}

// wholeOf returns the number of an int32 or an int64.
func wholeOf(value parquet.Value) int64 {
	if value.Kind() == parquet.Int32 {
		return int64(value.Int32())
	}
	return value.Int64()
}

// stars cleans a rating. An interaction of another type may lack it.
func stars(column shape.Column, text, kind string) (parquet.Value, Reason) {
	if text == "" {
		if kind == shape.Rating {
			return parquet.Value{}, NoRating
		}
		return parquet.NullValue(), ""
	}
	of := RatingType(column.Type)
	hundredths, exact, err := ParseHundredths(text)
	switch {
	case err != nil || hundredths < of.lowest() || hundredths > highest:
		return parquet.Value{}, RatingOutOfRange
	case !exact || int32(hundredths)%of.Hundredths() != 0:
		return parquet.Value{}, RatingTooPrecise
	}
	return parquet.Int32Value(int32(hundredths) / of.Hundredths()), ""
}

// CustomerValue returns the last column of a training row: the customer's id as files have it.
func (c *Interactions) CustomerValue(id string, number int64) parquet.Value {
	last := c.first + len(c.shop.InteractionColumns)
	switch c.shop.Customer.Type {
	case shape.Int:
		return parquet.Int32Value(int32(number)).Level(0, 0, last)
	case shape.BigInt:
		return parquet.Int64Value(number).Level(0, 0, last)
	default:
		return parquet.ValueOf(id).Level(0, 0, last)
	}
}
