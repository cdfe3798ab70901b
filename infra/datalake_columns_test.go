package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/shared/contract/shape"
	"recsys/shared/stream/activity"
)

// TestAthenaReadsTheAnswers compares the table's columns with the structs of the lab's record and of its answer.
func TestAthenaReadsTheAnswers(t *testing.T) {
	var want []string
	for _, part := range []any{activity.Session{}, activity.Answer{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(part)) {
			want = append(want, jsonName(field), hiveType(t, field.Type))
		}
	}
	if got := recommendationsColumns(shape.Lab); !slices.Equal(got, want) {
		t.Errorf("the table has %v\nwant %v", got, want)
	}
}

// TestAthenaReadsTheAnswersOfAShop holds the table to the shop file: the ids by their types, and the features by their names.
func TestAthenaReadsTheAnswersOfAShop(t *testing.T) {
	shop := shape.Shop{
		Name: "films", Group: "region",
		Customer: shape.ID{Name: "customer", Type: shape.BigInt}, Product: shape.ID{Name: "product", Type: shape.Text},
		CustomerColumns: []shape.Column{{Name: "city", Role: shape.Category, Type: shape.Text}, {Name: "home_store", Role: shape.Category, Type: shape.Int},
			{Name: "note", Role: shape.Remark}, {Name: "region", Role: shape.Remark}, {Name: "year", Role: shape.Number}, {Name: "spent", Role: shape.Price}},
		Source: shape.Source{Interactions: []shape.Query{{Name: "rentals"}}},
	}
	want := []string{"session_id", "string", "customer", "bigint", "city", "string", "home_store", "bigint", "spent", "double", "region", "string",
		"browse_history", "array<struct<product:string,quantity:int,in_shopping_cart:boolean>>"}
	if got := recommendationsColumns(shop); !slices.Equal(got, append(want, answerColumns...)) {
		t.Errorf("the table has %v\nwant %v", got, want)
	}
	shop.Customer.Type, shop.Product.Type = "", shape.Int // only a run finds the type
	want[3], want[13] = "string", "array<struct<product:bigint,quantity:int,in_shopping_cart:boolean>>"
	if got := recommendationsColumns(shop); !slices.Equal(got, append(want, answerColumns...)) {
		t.Errorf("the table has %v\nwant %v", got, want)
	}
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// hiveType returns Hive's type for the JSON of a Go type. A quantity is of any type in Go and a number in Athena.
func hiveType(t *testing.T, typ reflect.Type) string {
	t.Helper()
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return "string"
	case typ.Kind() == reflect.Slice:
		return "array<" + hiveType(t, typ.Elem()) + ">"
	case typ.Kind() == reflect.Struct:
		var fields []string
		for _, field := range reflect.VisibleFields(typ) {
			if jsonName(field) != "-" {
				fields = append(fields, fmt.Sprintf("%s:%s", jsonName(field), hiveType(t, field.Type)))
			}
		}
		return "struct<" + strings.Join(fields, ",") + ">"
	}
	hive, known := map[reflect.Kind]string{reflect.String: "string", reflect.Float64: "double", reflect.Int64: "bigint",
		reflect.Interface: "int", reflect.Bool: "boolean"}[typ.Kind()]
	if !known {
		t.Fatalf("no type of Hive for %s", typ)
	}
	return hive
}
