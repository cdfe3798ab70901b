package shopfile

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/shape"
)

// name is one part of a column's name in SQL: plain, or in backticks.
const name = "(?:[A-Za-z_$][A-Za-z0-9_$]*|`[^`]+`)"

var (
	// aRange is a right placeholder. Its group is the KEY.
	aRange      = regexp.MustCompile(`\{\{\s*range\s+(` + name + `(?:\.` + name + `){0,2})\s*\}\}`)
	placeholder = regexp.MustCompile(`\{\{[^}]*\}?\}?`)
	selects     = regexp.MustCompile(`(?i)^\s*\(*\s*(SELECT|WITH)\b`)
	running     = regexp.MustCompile(`/\*M?!`) // opens a comment that MySQL or MariaDB runs
	queryName   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)
	kindName    = regexp.MustCompile(`^[a-z0-9][a-z0-9 ._-]{0,31}$`)
)

// interactions reads the queries by their names. kinds takes their types, "" for a query whose column says the type.
func (r *reader) interactions(n *yaml.Node, kinds map[string]bool) (queries []shape.Query) {
	r.each(n, "interactions", func(key, value *yaml.Node) {
		if !queryName.MatchString(key.Value) {
			r.missf(key, "the query's name %q", "a letter, then up to 31 letters, digits, - and _", shortened(key.Value))
		}
		query := shape.Query{Name: key.Value}
		r.object(value, "interactions "+key.Value, fields{
			"type":  func(n *yaml.Node) { query.Type = r.kind(n) },
			"query": func(n *yaml.Node) { r.query(n, &query, true) },
			"count": func(n *yaml.Node) { query.Count = r.count(n) },
			"files": func(n *yaml.Node) { r.files(n, &query) },
			"names": func(n *yaml.Node) { r.names(n, &query) },
		})
		r.origin(value, "interactions "+key.Value, query)
		kinds[query.Type] = true
		queries = append(queries, query)
	})
	if n.Kind == yaml.MappingNode && (len(queries) == 0 || len(queries) > maxQueries) {
		r.missf(n, "%d queries of interactions", "1 to %d", len(queries), maxQueries)
	}
	return queries
}

// kind returns a type of interactions.
func (r *reader) kind(n *yaml.Node) string {
	text, ok := r.text(n)
	if ok && !kindName.MatchString(text) {
		r.missf(n, "the type %q", "up to 32 small letters, digits, blanks, dots, - and _, as purchase, rating or view", shortened(text))
	}
	return text
}

// query reads a SELECT. One that is read in ranges has {{range KEY}} once.
func (r *reader) query(n *yaml.Node, query *shape.Query, ranged bool) {
	sql := r.statement(n)
	query.SQL, query.Line = sql, n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		query.Line++ // the text starts below its |
	}
	code := codeOf(sql)
	for _, found := range placeholder.FindAllString(code, -1) {
		if !aRange.MatchString(found) {
			r.missf(n, "the placeholder %s", "{{range KEY}} with the customer's column, as {{range o.customer_id}}", shortened(found))
			return
		}
	}
	ranges := aRange.FindAllStringSubmatch(code, -1)
	switch {
	case sql == "":
	case !ranged && len(ranges) > 0:
		r.missf(n, "{{range …}} in the query of products", "none, because products are read once a run")
	case ranged && len(ranges) != 1:
		r.missf(n, "%d times {{range KEY}} in the query", "it once, in the WHERE clause and outside of quotes and comments, as {{range o.customer_id}}", len(ranges))
	case ranged:
		query.Key = ranges[0][1]
	}
}

// count reads the statement that counts interactions by customer.
func (r *reader) count(n *yaml.Node) string {
	sql := r.statement(n)
	if found := placeholder.FindString(codeOf(sql)); found != "" {
		r.missf(n, "the placeholder %s in count", "a SELECT of the whole table: range_key and its number of rows", shortened(found))
	}
	return sql
}

// statement reads the text of one SELECT, without comments and the semicolon at its end.
func (r *reader) statement(n *yaml.Node) string {
	sql, ok := r.text(n)
	if !ok {
		return ""
	}
	code := strings.TrimRight(codeOf(sql), " \t\r\n;")
	sql = sql[:len(code)]
	switch {
	case strings.TrimSpace(code) == "":
		r.missf(n, "an empty query", "a SELECT")
		return ""
	case strings.Contains(code, ";"):
		r.missf(n, "several statements in a query", "one SELECT")
	case running.MatchString(code):
		r.missf(n, "a comment that the server runs (/*! or /*M!)", "its text outside of a comment")
	case !balanced(code):
		r.missf(n, "parentheses that do not match", "as many ) as (, and none closed before it is opened")
	case strings.Contains(sql, "\x00"):
		r.missf(n, "a NUL character in a query", "one SELECT")
	case !selects.MatchString(code):
		r.missf(n, "a query that starts with %q", "SELECT or WITH", shortened(strings.TrimSpace(code)))
	}
	return sql
}

// balanced reports whether parentheses match, so that the query stays within those that are put around it.
func balanced(code string) bool {
	open := 0
	for i := 0; i < len(code) && open >= 0; i++ {
		switch code[i] {
		case '`':
			i += quoted(code[i:]) - 1
		case '(':
			open++
		case ')':
			open--
		}
	}
	return open == 0
}

// codeOf returns the SQL with blanks in place of comments and of the letters of quoted texts. Names in backticks stay. Every
// byte keeps its place.
func codeOf(sql string) string {
	code := []byte(sql)
	for i := 0; i < len(code); {
		end := i + 1
		switch rest := sql[i:]; {
		case rest[0] == '\'' || rest[0] == '"':
			end = i + quoted(rest)
			blank(code[i+1 : max(i+1, end-1)]) // a quote at the very end has no letters
		case rest[0] == '`':
			end = i + quoted(rest)
		case rest[0] == '#', strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
			end = i + until(rest, "\n")
			blank(code[i:end])
		case strings.HasPrefix(rest, "/*!"), strings.HasPrefix(rest, "/*M!"): // is code
		case strings.HasPrefix(rest, "/*"):
			end = i + 2 + until(rest[2:], "*/")
			blank(code[i:end])
		}
		i = end
	}
	return string(code)
}

// quoted returns the length of a quoted text, up to the end if its quote is not closed.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[0] != '`':
			i++
		case text[i] != text[0]:
		case i+1 < len(text) && text[i+1] == text[0]: // a doubled quote is a letter
			i++
		default:
			return i + 1
		}
	}
	return len(text)
}

// until returns the length of the text up to and including the mark.
func until(text, mark string) int {
	if i := strings.Index(text, mark); i >= 0 {
		return i + len(mark)
	}
	return len(text)
}

func blank(code []byte) {
	for i := range code {
		if code[i] != '\n' {
			code[i] = ' '
		}
	}
}
