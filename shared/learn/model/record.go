package model

import (
	"math"
	"slices"
	"strings"

	"recsys/shared/contract/shape"
)

// Record holds the facts about one customer or one product, in the order of a model's Columns.
type Record struct {
	Texts   []string  // any case, blanks around. "" and unknown ones encode to zeros
	Numbers []float64 // NaN or infinite: unknown, as if it were the mean of the training data
}

// Columns names the facts that a model reads of a customer or a product. The names are those of the shop's columns.
type Columns struct {
	Texts   []string
	Numbers []string
	prices  []bool // of Numbers: those that are learned by their logarithm
}

// ColumnsOf returns the columns that models learn from, in the shop's order.
func ColumnsOf(columns []shape.Column) (c Columns) {
	for _, column := range shape.Features(columns) {
		if column.Role == shape.Category {
			c.Texts = append(c.Texts, column.Name)
			continue
		}
		c.Numbers, c.prices = append(c.Numbers, column.Name), append(c.prices, column.Role == shape.Price)
	}
	return c
}

// Empty returns a Record of which nothing is known.
func (c Columns) Empty() Record {
	r := Record{make([]string, len(c.Texts)), make([]float64, len(c.Numbers))}
	for i := range r.Numbers {
		r.Numbers[i] = math.NaN()
	}
	return r
}

// Selection takes the facts of some Columns out of Records of others.
type Selection struct{ texts, numbers []int }

// From finds the columns among others by their names, in any case. It is done once for a model and a kind of Records.
func (c Columns) From(others Columns) Selection {
	place := func(names, among []string) (places []int) {
		for _, name := range names {
			places = append(places, slices.IndexFunc(among, func(other string) bool { return strings.EqualFold(name, other) }))
		}
		return places
	}
	return Selection{place(c.Texts, others.Texts), place(c.Numbers, others.Numbers)}
}

// Of returns the selected facts of a Record. A fact that the Record does not have is unknown.
func (s Selection) Of(r Record) Record {
	selected := Record{make([]string, len(s.texts)), make([]float64, len(s.numbers))}
	for i, place := range s.texts {
		if place >= 0 {
			selected.Texts[i] = r.Texts[place]
		}
	}
	for i, place := range s.numbers {
		if selected.Numbers[i] = math.NaN(); place >= 0 {
			selected.Numbers[i] = r.Numbers[place]
		}
	}
	return selected
}

// Table holds the Records of many customers or products.
type Table struct {
	Columns
	rows    int
	texts   []string
	numbers []float64
}

// NewTable returns an empty Table.
func NewTable(columns Columns) *Table { return &Table{Columns: columns} }

// Add adds a Record of the table's columns. It keeps the texts and no slice.
func (t *Table) Add(r Record) {
	t.rows, t.texts, t.numbers = t.rows+1, append(t.texts, r.Texts...), append(t.numbers, r.Numbers...)
}

// Rows returns the number of Records.
func (t *Table) Rows() int { return t.rows }

// Row returns a Record. It belongs to the table and must not be changed.
func (t *Table) Row(i int) Record {
	texts, numbers := len(t.Texts), len(t.Numbers)
	return Record{t.texts[i*texts : (i+1)*texts : (i+1)*texts], t.numbers[i*numbers : (i+1)*numbers : (i+1)*numbers]}
}

// Sorted returns the Records in another order: row i is the row order[i] of the table.
func (t *Table) Sorted(order []int32) *Table {
	sorted := NewTable(t.Columns)
	sorted.texts, sorted.numbers = make([]string, 0, len(t.texts)), make([]float64, 0, len(t.numbers))
	for _, i := range order {
		sorted.Add(t.Row(int(i)))
	}
	return sorted
}
