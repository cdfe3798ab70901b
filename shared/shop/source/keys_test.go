package source

import (
	"regexp"
	"testing"
)

var safe = regexp.MustCompile(`^(-?[0-9]+|(_utf8mb4 )?X'([0-9a-fA-F]{2})*')$`)

// A bound is a text from outside. As SQL it is digits alone.
func FuzzLiteral(f *testing.F) {
	for _, seed := range []string{"", "103", "-2", "18446744073709551615", "1 OR 1=1", "' OR ''='", "0x", "0x00ff", "0xzz", "0x1", "客", "\x00\\'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bound string) {
		for _, family := range []family{wholes, words, octets} {
			if literal, err := (comparison{family: family}).literal(bound); err == nil && !safe.MatchString(literal) {
				t.Errorf("%q became %s", bound, literal)
			}
		}
	})
}
