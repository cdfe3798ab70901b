package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/platform"
	"recsys/shared/contract/shape"
)

// hostile are texts of records that would do something to a terminal, and how they are shown.
var hostile = map[string]string{
	"\x1b[2J\x1b[31mOWNED":               `\x1b[2J\x1b[31mOWNED`,
	"\x1b]8;;http://evil/\acl\x1b\\ick":  `\x1b]8;;http://evil/\acl\x1b\ick`,
	"a\tb\nC  \u2714 everything is fine": `a\tb\nC  ✔ everything is fine`,
	"\u009b31mC1":                        `\u009b31mC1`,
	"user\u202egnp.exe":                  `user\u202egnp.exe`,
	"zero\u200bwidth\u2066iso\u2069":     `zero\u200bwidth\u2066iso\u2069`,
	"line\u2028separator\r":              `line\u2028separator\r`,
	"bad\xffutf8":                        `bad\xffutf8`,
	"delete\x7f\x00":                     `delete\x7f\x00`,
	"Zürich 札幌 'quoted' \"too\"":         "Zürich 札幌 'quoted' \"too\"",
	"":                                   "",
}

func TestPrintable(t *testing.T) {
	for text, want := range hostile {
		if got := printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Each place prints text that came from data.
func TestTheConsoleShowsAndDoesNotObey(t *testing.T) {
	for text := range hostile {
		var out bytes.Buffer
		c := newConsole(&out)
		c.say("%s", text)
		c.say("%v", errors.New(text))
		c.progress(text)
		c.block(text)
		output, err := json.Marshal(map[string]any{"status": text, text: 1})
		if err != nil {
			t.Fatal(err)
		}
		c.event(stepfunctions.Event{Type: "StateEntered", StateType: "Task", State: text})
		c.event(stepfunctions.Event{Type: "StateExited", StateType: "Task", State: text, Input: []byte("{}"), Output: output})
		c.event(stepfunctions.Event{Type: "StateFailed", StateType: "Task", State: text, Error: text})
		c.handOver(platform.HandOver{Whose: platform.Folder, From: text})
		answer := platform.Answer{Rejected: text}
		if err := (options{}).answers(c, published{shop: shape.Lab}, []platform.Answer{answer, {Record: map[string]any{"city": text}}}, []string{text}, 0); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%q: the console printed %q", text, r)
			}
		}
	}
}

func TestTable(t *testing.T) {
	answers := []platform.Answer{
		{Record: map[string]any{"customer_number": 353, "city": "札幌"}}, {Record: map[string]any{"customer_number": 1, "city": "A\tB\nC"}}, {Rejected: "no JSON"},
		{Record: map[string]any{"customer_number": 2, "city": strings.Repeat("ö", 100)}},
	}
	answers[0].Recommendation.Strategy, answers[1].Recommendation.Strategy, answers[3].Recommendation.Strategy = "model", "popular", "none"
	want := "  customer  city                                              strategy  recommended (score)\n" +
		"  353       札幌                                              model\n" +
		`  1         A\tB\nC                                           popular` + "\n" +
		"  2         " + strings.Repeat("ö", 47) + "…  none"
	if got := table(published{shop: shape.Lab}, answers, 3); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestLinesOfAnErrorAreSetIn(t *testing.T) {
	err := errors.Join(errors.New("first\x1b"), errors.New("  ✔ second"))
	if got, want := printableLines(err.Error(), "    "), "first\\x1b\n      ✔ second"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
