package dump

import (
	"iter"
	"strings"
)

// kind is the kind of a token.
type kind int

const (
	word kind = iota // a keyword, a number or a bare name
	name             // a name in backticks
	text             // a string in quotes
	mark             // any other character
)

// token is a piece of a statement.
type token struct {
	kind
	start, end int // in the statement
	value      string
}

func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.value, keyword) }

// isName reports whether the token can name something: MySQL takes bare words, backticks and, in places, quotes.
func (t token) isName() bool { return t.kind != mark }

// scan yields the tokens of a statement. It looks into comments that the server executes, and knows no others, since
// sqlfile leaves them out.
func scan(sql []byte) iter.Seq[token] {
	return func(yield func(token) bool) {
		for i := 0; i < len(sql); {
			if skipped := between(sql[i:]); skipped > 0 {
				i += skipped
				continue
			}
			t := next(sql, i)
			if !yield(t) {
				return
			}
			i = t.end
		}
	}
}

// between is the length of a space or of an executed comment's border, such as /*!50003 and */.
func between(rest []byte) int {
	switch {
	case rest[0] <= ' ':
		return 1
	case strings.HasPrefix(string(rest[:min(2, len(rest))]), "*/"):
		return 2
	case !strings.HasPrefix(string(rest[:min(2, len(rest))]), "/*"):
		return 0
	}
	length := 2
	for length < len(rest) && (rest[length] == '!' || rest[length] == 'M' || rest[length] >= '0' && rest[length] <= '9') {
		length++
	}
	return length
}

func next(sql []byte, start int) token {
	switch b := sql[start]; {
	case b == '`':
		end := closing(sql, start)
		return token{name, start, end, unquote(sql[start:end])}
	case b == '\'' || b == '"':
		end := closing(sql, start)
		return token{text, start, end, unquote(sql[start:end])}
	case isWordByte(b):
		end := start
		for end < len(sql) && isWordByte(sql[end]) {
			end++
		}
		return token{word, start, end, string(sql[start:end])}
	}
	return token{mark, start, start + 1, string(sql[start])}
}

func isWordByte(b byte) bool {
	return b == '_' || b == '$' || b >= 0x80 || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// closing is the offset behind the quote that closes the one at start. A doubled quote closes nothing.
func closing(sql []byte, start int) int {
	quote := sql[start]
	for i := start + 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\' && quote != '`':
			i++
		case sql[i] == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
		case sql[i] == quote:
			return i + 1
		}
	}
	return len(sql)
}

// unquote takes the quotes off. Escapes of strings stay, because no name needs them.
func unquote(quoted []byte) string {
	quote := string(quoted[:1])
	inside := strings.TrimSuffix(string(quoted[1:]), quote)
	return strings.ReplaceAll(inside, quote+quote, quote)
}
