package productcode

import (
	"strings"
	"testing"
)

func FuzzFoldAgreesWithEqualFold(f *testing.F) {
	f.Add("ab00", "AB00")
	f.Add("ς", "Σ")
	f.Add("K", "\u212a")
	f.Add("i", "İ")
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, ""), strings.ToValidUTF8(b, "")
		if same := Fold(a) == Fold(b); same != strings.EqualFold(a, b) {
			t.Errorf("%q and %q fold to the same text: %v", a, b, same)
		}
	})
}
