package activity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/shared/stream/activity"
)

// strict decodes JSON whose every member the struct has.
func strict(t *testing.T, text []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// enriched is a line that goes out.
type enriched struct {
	activity.Session
	activity.Answer
}

// TestTheRecordIsParsedByItsTags holds the parser's member names to the struct.
func TestTheRecordIsParsedByItsTags(t *testing.T) {
	session := activity.Session{SessionID: "s", CustomerNumber: 7, City: "Oslo", Country: "Norway", CreditLimit: 5,
		BrowseHistory: []activity.Browse{{ProductCode: "A", Quantity: 2, InShoppingCart: true}}}
	text := marshal(t, session)
	record, err := activity.Parse(text, lab)
	if err != nil {
		t.Fatal(err)
	}
	want := []activity.Product{{Code: "A", InCart: true, Quantity: 2}}
	if got := ofLab(record); record.Session != "session s" || *got.CustomerNumber != "7" || got.City != "Oslo" || got.Country != "Norway" ||
		got.CreditLimit != 5 || record.Group != "Norway" || !slices.Equal(record.Products, want) {
		t.Errorf("%s was read as %+v", text, record)
	}
}

// TestNoMemberOfTheRecordIsPassedOver holds that each member of the struct changes the record that is read.
func TestNoMemberOfTheRecordIsPassedOver(t *testing.T) {
	text := marshal(t, filled[activity.Session]())
	whole := read(t, text)
	without := func(name string, from func(session map[string]any) map[string]any) {
		var session map[string]any
		strict(t, text, &session)
		delete(from(session), name)
		if read(t, marshal(t, session)) == whole {
			t.Errorf("%s is not read: without it the record is the same, %s", name, whole)
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[activity.Session]()) {
		without(field.Tag.Get("json"), func(session map[string]any) map[string]any { return session })
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[activity.Browse]()) {
		without(field.Tag.Get("json"), func(session map[string]any) map[string]any {
			return session["browse_history"].([]any)[0].(map[string]any)
		})
	}
}

// read returns all that a record says, as text.
func read(t *testing.T, text []byte) (all string) {
	t.Helper()
	record, err := activity.Parse(text, lab)
	if err != nil {
		t.Fatal(err)
	}
	for field, value := range reflect.ValueOf(record).Fields() {
		if field.IsExported() {
			all += fmt.Sprintf("%s: %v\n", field.Name, reflect.Indirect(value))
		}
	}
	return all
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// filled returns a value whose every field that goes out holds something of its own, other than the field's zero.
func filled[T any]() (value T) {
	fill(reflect.ValueOf(&value).Elem(), new(int64))
	return value
}

func fill(value reflect.Value, last *int64) {
	*last++
	number := *last + 1
	switch value.Kind() {
	case reflect.String:
		value.SetString(fmt.Sprint("text ", number))
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int64:
		value.SetInt(number)
	case reflect.Float64:
		value.SetFloat(float64(number))
	case reflect.Interface: // of any, as JSON is decoded into it
		value.Set(reflect.ValueOf(float64(number)))
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 2, 2))
		fill(value.Index(0), last)
		fill(value.Index(1), last)
	case reflect.Struct:
		if value.Type() == reflect.TypeFor[time.Time]() {
			value.Set(reflect.ValueOf(time.UnixMilli(number).UTC()))
			return
		}
		for of, field := range value.Fields() {
			if of.Tag.Get("json") != "-" {
				fill(field, last)
			}
		}
	default:
		panic(fmt.Sprintf("no value for a field of %s: add its kind", value.Type()))
	}
}

// TestTheAnswerIsWrittenByItsTags holds Append to the struct: it writes each of its members and no other.
func TestTheAnswerIsWrittenByItsTags(t *testing.T) {
	given := enriched{filled[activity.Session](), filled[activity.Answer]()}
	record, err := activity.Parse(marshal(t, given.Session), lab)
	if err != nil {
		t.Fatal(err)
	}
	line := record.Append(nil, &given.Answer)
	var got enriched
	strict(t, line, &got)
	if !reflect.DeepEqual(got, given) {
		t.Errorf("%s\nis read as %+v\nwant %+v", line, got, given)
	}
}

// TestTheRecordInTheDocuments is the printed example.
func TestTheRecordInTheDocuments(t *testing.T) {
	for _, page := range []string{"../../../docs/stream.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), "```json\n")
		example, _, _ := strings.Cut(rest, "\n```")
		if !found {
			t.Fatalf("%s prints no record", page)
		}
		var session activity.Session
		strict(t, []byte(example), &session)
		record, err := activity.Parse([]byte(example), lab)
		if err != nil || !record.HasFeatures() || math.IsNaN(ofLab(record).CreditLimit) || len(record.Products) == 0 {
			t.Errorf("%s: %s is read as %+v, %v", page, example, record, err)
		}
	}
}
