package option

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

type Network struct {
	ID    string   `option:"id" default:"auto" pattern:"^vpc-[0-9]+$"`
	Parts []string `option:"parts" default:"none" pattern:"^[a-z]$"`
}

type Sizes struct {
	Count int           `option:"count" default:"3" min:"1" max:"9"`
	Share float64       `option:"share" env:"THE_SHARE" default:"0.5" over:"0" under:"1"`
	Wait  time.Duration `option:"waitTime" default:"90s" min:"1s"`
	Days  int           `option:"days" default:"7" oneof:"1 7 30"`
	Seed  uint64        `option:"aSeedOfXY" default:"1"`
	On    bool          `option:"on" default:"true"`
}

// CheckTogether wants the count to be even if the share is high.
func (s Sizes) CheckTogether() error {
	if s.Share > 0.8 && s.Count%2 == 1 {
		return fmt.Errorf("count is %d: want an even one", s.Count)
	}
	return nil
}

type whole struct {
	Network
	Sizes
	Bucket string `option:"bucket"`
}

func readWhole(given map[string]string) (whole, error) {
	var w whole
	return w, Read(&w, func(name string) (string, bool) { text, ok := given[name]; return text, ok })
}

func TestRead(t *testing.T) {
	var w whole
	given := map[string]string{"bucket": "b"}
	lookup := func(name string) (string, bool) { text, ok := given[name]; return text, ok }
	if err := Read(&w, lookup); err != nil || !reflect.DeepEqual(w, whole{Sizes: Sizes{3, 0.5, 90 * time.Second, 7, 1, true}, Bucket: "b"}) {
		t.Errorf("defaults: %+v, %v", w, err)
	}
	maps.Copy(given, map[string]string{"id": "vpc-1", "parts": "a, b", "count": "4", "share": "0.9", "waitTime": "2m", "days": "30", "aSeedOfXY": "18446744073709551615", "on": "false"})
	want := whole{Network{"vpc-1", []string{"a", "b"}}, Sizes{4, 0.9, 2 * time.Minute, 30, math.MaxUint64, false}, "b"}
	if err := Read(&w, lookup); err != nil || !reflect.DeepEqual(w, want) {
		t.Errorf("given: %+v, %v", w, err)
	}
	given["id"], given["parts"] = "auto", "none"
	if err := Read(&w, lookup); err != nil || w.ID != "" || w.Parts != nil {
		t.Errorf("the words for the zero value: %+v, %v", w, err)
	}
}

// Read reads the output of String, so that a variable that is passed on means the same.
func TestReadTakesTheOutputOfString(t *testing.T) {
	for _, want := range []whole{
		{Bucket: "b", Sizes: Sizes{1, 0.1, time.Second, 1, 0, false}},
		{Network{"vpc-7", []string{"x", "y"}}, Sizes{2, 0.30000000000000004, time.Hour, 30, 9, true}, "b"},
	} {
		given := map[string]string{}
		for _, field := range Fields(want) {
			given[field.Name] = field.String()
		}
		var got whole
		err := Read(&got, func(name string) (string, bool) { return given[name], true })
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v by %v", got, err, want, given)
		}
	}
}

func TestFaultsAreNamedAllAtOnce(t *testing.T) {
	_, err := readWhole(map[string]string{"id": "x", "parts": "a,bb", "count": "10", "share": "1", "waitTime": "5ms", "days": "2", "aSeedOfXY": "-1", "on": "oui"})
	want := `id is "x": want ^vpc-[0-9]+$
parts is "bb": want ^[a-z]$
count is 10: want 1 to 9
share is 1: want more than 0, less than 1
waitTime is 5ms: want at least 1s
days is "2": want one of 1, 7, 30
aSeedOfXY is "-1": want a whole number, 0 or more
on is "oui": want true or false
bucket is missing`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	for given, want := range map[[2]string]string{
		{"count", ""}:     `count is "": want a whole number 1 to 9`,
		{"count", "3.0"}:  `count is "3.0": want a whole number`,
		{"share", "NaN"}:  "share is NaN: want",
		{"share", "+Inf"}: "share is +Inf: want",
		{"share", "0.85"}: "count is 3: want an even one",
		{"id", ""}:        `id is "": want`,
		{"bucket", ""}:    "bucket is missing",
	} {
		all := map[string]string{"bucket": "b"}
		all[given[0]] = given[1]
		if _, err := readWhole(all); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", given, err, want)
		}
	}
}

func TestCheckHoldsAFilledStructToItsBounds(t *testing.T) {
	good := Default[Sizes]()
	if err := Check(good); err != nil {
		t.Error(err)
	}
	bad := Sizes{Count: 0, Share: math.NaN(), Wait: time.Millisecond, Days: 8}
	err := Check(bad)
	for _, want := range []string{"count is 0", "share is NaN", "waitTime is 1ms", `days is "8"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

// Errors name an option as it was given.
func TestFaultsOfVariablesNameTheVariables(t *testing.T) {
	given := map[string]string{"WAIT_TIME": "5ms", "count": "10"}
	err := ReadVariables(&whole{}, func(variable string) (string, bool) { text, ok := given[variable]; return text, ok })
	if want := "WAIT_TIME is 5ms: want at least 1s\nBUCKET is missing"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestVariable(t *testing.T) {
	want := strings.Fields("ID PARTS COUNT THE_SHARE WAIT_TIME DAYS A_SEED_OF_XY ON BUCKET")
	for i, field := range Fields(whole{}) {
		if field.Variable() != want[i] {
			t.Errorf("%s is %s, want %s", field.Name, field.Variable(), want[i])
		}
	}
}
