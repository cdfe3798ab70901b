package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/shared/stream/activity"
)

// TestAthenaReadsTheAnswers compares the table's columns with the structs of the record and of its answer.
func TestAthenaReadsTheAnswers(t *testing.T) {
	var want []string
	for _, part := range []any{activity.Session{}, activity.Answer{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(part)) {
			want = append(want, jsonName(field), hiveType(t, field.Type))
		}
	}
	if !slices.Equal(recommendationsColumns, want) {
		t.Errorf("the table has %v\nwant %v", recommendationsColumns, want)
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
			fields = append(fields, fmt.Sprintf("%s:%s", jsonName(field), hiveType(t, field.Type)))
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
