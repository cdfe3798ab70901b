package training

import "testing"

func TestCodesFindsExactlyFirst(t *testing.T) {
	codes := NewCodes(0)
	for _, code := range []string{"S10_1678", "ab00", "AB00", "Ab00", "ab00", "straße", "ΟΔΟΣ", "42", "x"} {
		codes.Add(code)
	}
	for text, want := range map[string]struct {
		spelling string
		reason   Reason
	}{
		"S10_1678": {"S10_1678", ""},
		"s10_1678": {"S10_1678", ""},
		"ab00":     {"ab00", ""},
		"AB00":     {"AB00", ""},
		"Ab00":     {"Ab00", ""},
		"aB00":     {"", AmbiguousProduct},
		"STRAßE":   {"straße", ""},
		"STRASSE":  {"", UnknownProduct},
		"οδος":     {"ΟΔΟΣ", ""}, // the last letter has two small forms
		"042":      {"", UnknownProduct},
		"":         {"", UnknownProduct},
		"ab0":      {"", UnknownProduct},
	} {
		spelling, reason := codes.Find(text)
		if spelling != want.spelling || reason != want.reason {
			t.Errorf("%q is found as %q, %q: want %q, %q", text, spelling, reason, want.spelling, want.reason)
		}
	}
}
