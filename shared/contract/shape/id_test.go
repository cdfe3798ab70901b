package shape

import (
	"slices"
	"strings"
	"testing"
)

func TestIDsAreOrderedByTheirType(t *testing.T) {
	for of, want := range map[Type][]string{
		Int: {"-2147483648", "-4", "0", "7", "103", "2147483647"}, BigInt: {"-9223372036854775808", "9", "10", "9223372036854775807"},
		Text: {"10", "103", "9", "A", "a", "ä"},
	} {
		ids := slices.Clone(want)
		slices.Reverse(ids)
		slices.SortFunc(ids, of.Compare)
		if !slices.Equal(ids, want) {
			t.Errorf("%s: %q, want %q", of, ids, want)
		}
	}
}

func TestIDsAreValidByTheirType(t *testing.T) {
	long := strings.Repeat("é", MaxText)
	for of, ids := range map[Type][]string{
		Int: {"-2147483648", "0", "103"}, BigInt: {"2147483648", "-9223372036854775808"}, Text: {"103", "0103", "a b", "\x01", long},
	} {
		for _, id := range ids {
			if value, err := of.Value(id); !of.Valid(id) || err != nil || value == nil {
				t.Errorf("%.20q is refused as %s: %v", id, of, err)
			}
		}
	}
	for of, ids := range map[Type][]string{
		Int:    {"", "2147483648", "1.0", "a", "0103", "+1", "-0", " 1", "1e3", "0x1", "1_000", "٣"},
		BigInt: {"", "9223372036854775808", "007"},
		Text:   {"", " a", "a\n", "a\x00b", "\xff", long + "é"},
	} {
		for _, id := range ids {
			if of.Valid(id) {
				t.Errorf("%.20q passes as %s", id, of)
			}
		}
	}
	if id, flaw := Int.ParseID([]byte("+0103")); id != "103" || flaw != "" {
		t.Errorf("+0103 is read as %q, %q", id, flaw)
	}
}
