package training

import "recsys/shared/contract/productcode"

// Codes finds the code that a text means among a shop's product codes: the exact one first, else the only one that
// differs in nothing but case. Foreign keys of MySQL's default collations ignore case, those of _bin and _as_cs do not.
// The rule is the same for ratings, hand-overs and the stream. Texts come trimmed.
type Codes struct {
	folded map[string]string   // the code by its fold, "" if several codes share that
	shared map[string]struct{} // the codes that share their fold with another one
}

// NewCodes returns empty Codes with room for n of them.
func NewCodes(n int) *Codes {
	return &Codes{folded: make(map[string]string, n), shared: map[string]struct{}{}}
}

// Add adds a code. A code that is there already changes nothing.
func (c *Codes) Add(code string) {
	fold := productcode.Fold(code)
	other, taken := c.folded[fold]
	switch {
	case !taken:
		c.folded[fold] = code
	case other != code:
		c.folded[fold] = ""
		c.shared[code] = struct{}{}
		if other != "" {
			c.shared[other] = struct{}{}
		}
	}
}

// Find returns the shop's spelling of a code. The reason is UnknownProduct if no code fits, and AmbiguousProduct if
// several fit and none of them exactly.
func (c *Codes) Find(code string) (spelling string, reason Reason) {
	spelling, known := c.folded[productcode.Fold(code)]
	switch _, exact := c.shared[code]; {
	case exact:
		return code, ""
	case !known:
		return "", UnknownProduct
	case spelling == "":
		return "", AmbiguousProduct
	default:
		return spelling, ""
	}
}
