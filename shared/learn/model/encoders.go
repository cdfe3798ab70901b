package model

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"recsys/shared/learn/coldstart"
)

// Encoders turn customers and products into features for a linear model, the same in training and afterwards. Numbers
// are scaled as by a StandardScaler and kept within ±4, prices by their logarithm. Categories are one-hot,
// lower-cased and trimmed. A shop without columns to learn from has features of no width.
type Encoders struct{ user, item encoder }

// Limits of the features, so that the regression on them stays small.
const (
	// maxCategories of a column are told apart: the ones seen most. The others encode to zeros.
	maxCategories = 1000
	// maxFeatures are those of all columns of one side together.
	maxFeatures = 2048
)

// FitEncoders learns means, deviations and categories, of each customer and each product once.
func FitEncoders(users, items *Table) *Encoders {
	e := &Encoders{newEncoder(users.Columns), newEncoder(items.Columns)}
	e.user.fit(users)
	e.item.fit(items)
	return e
}

// Users encodes customers, a row each.
func (e *Encoders) Users(users *Table) *coldstart.Features { return e.user.features(users) }

// Items encodes products, a row each.
func (e *Encoders) Items(items *Table) *coldstart.Features { return e.item.features(items) }

// encoder is one side's, in the form in which the header of a linear model's file has it.
type encoder struct {
	Numbers    []scaledNumber `json:"numbers"`
	Categories []categories   `json:"categories"`
}

type scaledNumber struct {
	Name  string  `json:"name"`
	Mean  float64 `json:"mean"`
	Scale float64 `json:"scale"` // the deviation, or 1 of a constant
	price bool
}

type categories struct {
	Name    string           `json:"name"`
	Values  []string         `json:"values"` // ascending
	columns map[string]int32 // of the values
}

// The name of a price that is learned by its logarithm, in the header.
const pricePrefix, priceSuffix = "log1p(", ")"

func newEncoder(columns Columns) (e encoder) {
	e.Numbers, e.Categories = []scaledNumber{}, []categories{}
	for k, name := range columns.Numbers {
		if columns.prices[k] {
			name = pricePrefix + name + priceSuffix
		}
		e.Numbers = append(e.Numbers, scaledNumber{Name: name, Scale: 1})
	}
	for _, name := range columns.Texts {
		e.Categories = append(e.Categories, categories{Name: name, Values: []string{}})
	}
	e.number()
	return e
}

// columnsOf is the inverse of newEncoder.
func (e *encoder) columnsOf() (c Columns) {
	for _, n := range e.Numbers {
		name, price := strings.CutPrefix(n.Name, pricePrefix)
		c.Numbers, c.prices = append(c.Numbers, strings.TrimSuffix(name, priceSuffix)), append(c.prices, price)
	}
	for _, t := range e.Categories {
		c.Texts = append(c.Texts, t.Name)
	}
	return c
}

func (e *encoder) fit(rows *Table) {
	for k := range e.Numbers {
		n := &e.Numbers[k]
		n.fit(rows.Rows(), func(i int) float64 { return n.of(rows.Row(i).Numbers[k]) })
	}
	most := min(maxCategories, (maxFeatures-len(e.Numbers))/max(len(e.Categories), 1))
	for k := range e.Categories {
		counts := map[string]int{}
		for i := range rows.Rows() {
			if text := rows.Row(i).Texts[k]; utf8.ValidString(text) {
				counts[normal(text)]++
			}
		}
		delete(counts, "")
		e.Categories[k].Values = mostSeen(counts, most)
	}
	e.number()
}

// of returns the number that is scaled: the logarithm of a price. A negative price is unknown.
func (n *scaledNumber) of(x float64) float64 {
	if n.price {
		return math.Log1p(x)
	}
	return x
}

// fit is StandardScaler's: the mean, and the deviation over all rows. Rows with an unknown number are left out.
func (n *scaledNumber) fit(rows int, number func(int) float64) {
	known, sum, squares := 0.0, 0.0, 0.0
	for i := range rows {
		if x := number(i); isFinite(x) {
			known, sum = known+1, sum+x
		}
	}
	if known == 0 {
		return
	}
	n.Mean = sum / known
	for i := range rows {
		if x := number(i); isFinite(x) {
			squares += float64((x - n.Mean) * (x - n.Mean))
		}
	}
	// A constant has a deviation, too, by rounding.
	if deviation := math.Sqrt(squares / known); deviation > 1e-9*math.Abs(n.Mean) && isFinite(deviation) {
		n.Scale = deviation
	}
}

func mostSeen(counts map[string]int, most int) []string {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	values = values[:min(len(values), most)]
	slices.Sort(values)
	return values
}

// number gives each category its column, behind the numbers.
func (e *encoder) number() {
	for k := range e.Numbers {
		e.Numbers[k].price = strings.HasPrefix(e.Numbers[k].Name, pricePrefix)
	}
	next := int32(len(e.Numbers))
	for k := range e.Categories {
		c := &e.Categories[k]
		c.columns = make(map[string]int32, len(c.Values))
		for _, value := range c.Values {
			c.columns[value] = next
			next++
		}
	}
}

// width is how many columns the features have.
func (e *encoder) width() int {
	width := len(e.Numbers)
	for _, c := range e.Categories {
		width += len(c.Values)
	}
	return width
}

// most is where a scaled number ends: one that no customer had before must not outweigh all else.
const most = 4

// append adds the columns and values of one row. It allocates nothing if there is room, save for text beyond ASCII.
func (e *encoder) append(columns []int32, values []float32, of Record) ([]int32, []float32) {
	for k := range e.Numbers {
		n := &e.Numbers[k]
		if x := n.of(of.Numbers[k]); isFinite(x) {
			scaled := min(max((x-n.Mean)/n.Scale, -most), most)
			columns, values = append(columns, int32(k)), append(values, float32(scaled))
		}
	}
	var buf [64]byte
	for k, text := range of.Texts {
		if column, known := e.Categories[k].columns[string(appendNormal(buf[:0], text))]; known {
			columns, values = append(columns, column), append(values, 1)
		}
	}
	return columns, values
}

func (e *encoder) features(rows *Table) *coldstart.Features {
	f := &coldstart.Features{Width: e.width(), Start: make([]int64, 1, rows.Rows()+1)}
	for i := range rows.Rows() {
		f.Columns, f.Values = e.append(f.Columns, f.Values, rows.Row(i))
		f.Start = append(f.Start, int64(len(f.Columns)))
	}
	return f
}
