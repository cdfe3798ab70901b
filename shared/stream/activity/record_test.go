package activity_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

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
	text, err := json.Marshal(session)
	if err != nil {
		t.Fatal(err)
	}
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

// TestTheAnswerIsWrittenByItsTags holds Append to the struct: it writes each of its members and no other.
func TestTheAnswerIsWrittenByItsTags(t *testing.T) {
	given := answer
	given.Trending = []activity.Scored{{ID: "T", Score: 3}}
	session := activity.Session{SessionID: "s", CustomerNumber: 7, BrowseHistory: []activity.Browse{}}
	text, err := json.Marshal(session)
	if err != nil {
		t.Fatal(err)
	}
	record, err := activity.Parse(text, lab)
	if err != nil {
		t.Fatal(err)
	}
	line := record.Append(nil, &given)
	var got enriched
	strict(t, line, &got)
	given.Recommendation.GeneratedAt = given.Recommendation.GeneratedAt.UTC()
	if !reflect.DeepEqual(got.Session, session) || !reflect.DeepEqual(got.Answer, given) {
		t.Errorf("%s\nis read as %+v\nwant %+v", line, got.Answer, given)
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
