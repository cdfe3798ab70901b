package model

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"recsys/shared/learn/coldstart"
)

// Item holds the shop's facts about a product.
type Item struct {
	Line, Scale    string  // any case, blanks around. Unknown ones encode to zeros
	BuyPrice, MSRP float64 // NaN, infinite or negative: unknown, as if it were the mean of the training data
}

// Encoders turn customers and products into features for a linear model, the same in training and afterwards. Numbers
// are scaled as by a StandardScaler and kept within ±4, prices by their logarithm. Categories are one-hot,
// lower-cased and trimmed.
type Encoders struct{ user, item encoder }

// maxCategories of a column are told apart: the ones seen most. The others encode to zeros.
const maxCategories = 1000

// FitEncoders learns means, deviations and categories, of each customer and each product once.
func FitEncoders(users []User, items []Item) *Encoders {
	e := &Encoders{newEncoder(userNumbers[:], userTexts[:]), newEncoder(itemNumbers[:], itemTexts[:])}
	e.user.fit(len(users), func(i int) ([]float64, []string) { n, t := users[i].columns(); return n[:], t[:] })
	e.item.fit(len(items), func(i int) ([]float64, []string) { n, t := items[i].columns(); return n[:], t[:] })
	return e
}

// Users encodes customers, a row each.
func (e *Encoders) Users(users []User) *coldstart.Features {
	return e.user.features(len(users), func(i int) ([]float64, []string) { n, t := users[i].columns(); return n[:], t[:] })
}

// Items encodes products, a row each.
func (e *Encoders) Items(items []Item) *coldstart.Features {
	return e.item.features(len(items), func(i int) ([]float64, []string) { n, t := items[i].columns(); return n[:], t[:] })
}

var (
	userNumbers, userTexts = [1]string{"creditLimit"}, [2]string{"city", "country"}
	itemNumbers, itemTexts = [2]string{"log1p(buyPrice)", "log1p(MSRP)"}, [2]string{"productLine", "productScale"}
)

func (u *User) columns() ([1]float64, [2]string) {
	return [1]float64{u.CreditLimit}, [2]string{u.City, u.Country}
}

func (i *Item) columns() ([2]float64, [2]string) {
	return [2]float64{math.Log1p(i.BuyPrice), math.Log1p(i.MSRP)}, [2]string{i.Line, i.Scale}
}

// encoder is one side's, in the form in which the header of a linear model's file has it.
type encoder struct {
	Numbers    []scaledNumber `json:"numbers"`
	Categories []categories   `json:"categories"`
}

type scaledNumber struct {
	Name  string  `json:"name"`
	Mean  float64 `json:"mean"`
	Scale float64 `json:"scale"` // the deviation, or 1 of a constant
}

type categories struct {
	Name    string           `json:"name"`
	Values  []string         `json:"values"` // ascending
	columns map[string]int32 // of the values
}

func newEncoder(numbers, texts []string) (e encoder) {
	for _, name := range numbers {
		e.Numbers = append(e.Numbers, scaledNumber{Name: name, Scale: 1})
	}
	for _, name := range texts {
		e.Categories = append(e.Categories, categories{Name: name, Values: []string{}})
	}
	return e
}

func (e *encoder) fit(rows int, row func(int) ([]float64, []string)) {
	for k := range e.Numbers {
		e.Numbers[k].fit(rows, func(i int) float64 { numbers, _ := row(i); return numbers[k] })
	}
	for k := range e.Categories {
		counts := map[string]int{}
		for i := range rows {
			if _, texts := row(i); utf8.ValidString(texts[k]) {
				counts[normal(texts[k])]++
			}
		}
		delete(counts, "")
		e.Categories[k].Values = mostSeen(counts)
	}
	e.number()
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

func mostSeen(counts map[string]int) []string {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	values = values[:min(len(values), maxCategories)]
	slices.Sort(values)
	return values
}

// number gives each category its column, behind the numbers.
func (e *encoder) number() {
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
func (e *encoder) append(columns []int32, values []float32, numbers []float64, texts []string) ([]int32, []float32) {
	for k, x := range numbers {
		if n := &e.Numbers[k]; isFinite(x) {
			scaled := min(max((x-n.Mean)/n.Scale, -most), most)
			columns, values = append(columns, int32(k)), append(values, float32(scaled))
		}
	}
	var buf [64]byte
	for k, text := range texts {
		if column, known := e.Categories[k].columns[string(appendNormal(buf[:0], text))]; known {
			columns, values = append(columns, column), append(values, 1)
		}
	}
	return columns, values
}

func (e *encoder) features(rows int, row func(int) ([]float64, []string)) *coldstart.Features {
	f := &coldstart.Features{Width: e.width(), Start: make([]int64, 1, rows+1)}
	for i := range rows {
		numbers, texts := row(i)
		f.Columns, f.Values = e.append(f.Columns, f.Values, numbers, texts)
		f.Start = append(f.Start, int64(len(f.Columns)))
	}
	return f
}
