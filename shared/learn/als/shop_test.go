package als

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recsys/shared/contract/shape"
	"recsys/shared/learn/model"
	"recsys/shared/learn/sparse"
)

// shop is training rows as they are trained on, with the numbers and codes of rows and columns.
type shop struct {
	Data
	customers []int
	products  []string
}

// readShop reads training rows in CSV: columns by name in any case, blanks around, CRLF or LF.
func readShop(t testing.TB, file []byte) (s shop) {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	users, items, ratings := map[int]model.Record{}, map[string]model.Record{}, map[int]map[string]uint16{}
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[strings.ToLower(name)] = strings.TrimSpace(record[i])
		}
		customer, product := int(number(row["customernumber"])), row["productcode"]
		users[customer] = model.Record{Texts: []string{row["city"], row["country"]}, Numbers: []float64{number(row["creditlimit"])}}
		items[product] = model.Record{Texts: []string{row["productline"], row["productscale"]}, Numbers: []float64{number(row["buyprice"]), number(row["msrp"])}}
		if ratings[customer] == nil {
			ratings[customer] = map[string]uint16{}
		}
		ratings[customer][product] = uint16(100 * number(row["productrating"]))
	}
	var u, i *model.Table
	s.customers, u = inOrder(users, shape.Lab.CustomerColumns)
	s.products, i = inOrder(items, shape.Lab.ProductColumns)
	encoders := model.FitEncoders(u, i)
	s.Data = Data{&sparse.Matrix{Width: i.Rows(), Start: []int64{0}}, encoders.Users(u), encoders.Items(i)}
	for _, customer := range s.customers {
		for column, product := range s.products {
			if rating := ratings[customer][product]; rating > 0 {
				s.Ratings.Columns, s.Ratings.Ratings = append(s.Ratings.Columns, int32(column)), append(s.Ratings.Ratings, rating)
			}
		}
		s.Ratings.Start = append(s.Ratings.Start, int64(len(s.Ratings.Columns)))
	}
	return s
}

func inOrder[K cmp.Ordered](m map[K]model.Record, columns []shape.Column) (keys []K, values *model.Table) {
	keys, values = slices.Sorted(maps.Keys(m)), model.NewTable(model.ColumnsOf(columns))
	for _, k := range keys {
		values.Add(m[k])
	}
	return keys, values
}

func number(text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}
