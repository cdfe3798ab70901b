package sourcefiles

import (
	"slices"
	"strconv"
	"strings"

	"recsys/shared/contract/productcode"
	"recsys/shared/contract/shape"
)

// idKind finds the type of ids: whole numbers if all of them are written as such.
type idKind struct{ some, text, large bool }

func (k *idKind) add(text string) {
	text = strings.TrimSpace(text)
	if text == "" || k.text {
		return
	}
	k.some = true
	number, err := strconv.ParseInt(text, 10, 64)
	k.text = err != nil || strconv.FormatInt(number, 10) != text
	k.large = k.large || number != int64(int32(number))
}

// of returns the type that the shop file says, or else the one that was found.
func (k *idKind) of(declared shape.Type) shape.Type {
	switch {
	case declared != "":
		return declared
	case k.text || !k.some:
		return shape.Text
	case k.large:
		return shape.BigInt
	default:
		return shape.Int
	}
}

// typeOf returns the type of a declared column. Files do not tell decimals from texts, so that the role decides.
func typeOf(role shape.Role) shape.Type {
	switch role {
	case shape.Number:
		return shape.Double
	case shape.Price:
		return "decimal(18,4)"
	case shape.Stock, shape.Availability:
		return shape.Int
	default:
		return shape.Text
	}
}

// resolve fills in the types and cuts the ranges.
func (r *reading) resolve(rowsPerRange int64, maxRanges int) {
	shop := r.shop
	shop.Customer.Type, shop.Product.Type = r.customer.of(shop.Customer.Type), r.product.of(shop.Product.Type)
	shop.CustomerColumns, shop.ProductColumns = typed(shop.CustomerColumns), typed(shop.ProductColumns)
	shop.InteractionColumns = nil
	for i, column := range interactionColumns {
		if r.seen[i] || column.Role == shape.Kind {
			shop.InteractionColumns = append(shop.InteractionColumns, column)
		}
	}
	shop.Source.Fingerprint = fingerprint(r.used)
	r.split.Shop, r.split.bounds = shop, boundsOf(shop.Customer.Type, r.sample, r.split.counts.interactions, rowsPerRange, maxRanges)
}

func typed(columns []shape.Column) []shape.Column {
	columns = slices.Clone(columns)
	for i := range columns {
		columns[i].Type = typeOf(columns[i].Role)
	}
	return columns
}

// bound is a customer's id for comparisons. Ids that are none of the type come before all others.
type bound struct {
	text   string
	number int64
	class  int
}

func boundOf(t shape.Type, id string) bound {
	id = strings.TrimSpace(id)
	if id == "" {
		return bound{}
	}
	if !t.Whole() {
		return bound{text: productcode.Fold(id), class: 1} // the spellings of one customer lie together
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return bound{text: id}
	}
	return bound{text: strconv.FormatInt(number, 10), number: number, class: 1}
}

func (b bound) compare(other bound) int {
	switch {
	case b.class != other.class:
		return b.class - other.class
	case b.number < other.number:
		return -1
	case b.number > other.number:
		return 1
	default:
		return strings.Compare(b.text, other.text)
	}
}

// boundsOf returns the ends of the ranges but the last, from a sample of the interactions' customers.
func boundsOf(t shape.Type, sample []string, rows, rowsPerRange int64, maxRanges int) (bounds []bound) {
	ranges := min((rows+rowsPerRange-1)/rowsPerRange, int64(maxRanges))
	sorted := make([]bound, len(sample))
	for i, id := range sample {
		sorted[i] = boundOf(t, id)
	}
	slices.SortFunc(sorted, bound.compare)
	for i := int64(1); i < ranges; i++ {
		next := sorted[i*int64(len(sorted))/ranges]
		if next.class == 1 && (len(bounds) == 0 || bounds[len(bounds)-1].compare(next) < 0) {
			bounds = append(bounds, next)
		}
	}
	return bounds
}

// rangeOf returns the range of a customer.
func rangeOf(bounds []bound, id bound) int {
	at, _ := slices.BinarySearchFunc(bounds, id, bound.compare)
	return at
}
