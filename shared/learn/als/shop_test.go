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
	users, items, ratings := map[int]model.User{}, map[string]model.Item{}, map[int]map[string]uint16{}
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[strings.ToLower(name)] = strings.TrimSpace(record[i])
		}
		customer, product := int(number(row["customernumber"])), row["productcode"]
		users[customer] = model.User{City: row["city"], Country: row["country"], CreditLimit: number(row["creditlimit"])}
		items[product] = model.Item{Line: row["productline"], Scale: row["productscale"], BuyPrice: number(row["buyprice"]), MSRP: number(row["msrp"])}
		if ratings[customer] == nil {
			ratings[customer] = map[string]uint16{}
		}
		ratings[customer][product] = uint16(100 * number(row["productrating"]))
	}
	var u []model.User
	var i []model.Item
	s.customers, u = inOrder(users)
	s.products, i = inOrder(items)
	encoders := model.FitEncoders(u, i)
	s.Data = Data{&sparse.Matrix{Width: len(i), Start: []int64{0}}, encoders.Users(u), encoders.Items(i)}
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

func inOrder[K cmp.Ordered, V any](m map[K]V) (keys []K, values []V) {
	keys = slices.Sorted(maps.Keys(m))
	for _, k := range keys {
		values = append(values, m[k])
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
