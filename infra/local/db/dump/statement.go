package dump

import (
	"slices"
	"strings"
)

// subject is the thing that a statement is about.
type subject struct {
	verb     string // CREATE, INSERT and so on, in capitals
	kind     string // TABLE, VIEW, TRIGGER, DATABASE and so on, in capitals, or empty if the statement names no thing
	database string // empty for the current one
	name     string
}

// String is the subject for people, such as "table ratings".
func (s subject) String() string {
	switch {
	case s.kind == "":
		return s.verb + " statement"
	case s.database != "":
		return strings.ToLower(s.kind) + " " + s.database + "." + s.name
	}
	return strings.ToLower(s.kind) + " " + s.name
}

// headLength bounds the tokens in front of a name.
const headLength = 64

// things are the words for a thing that is created, altered or dropped.
var things = []string{"TABLE", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "INDEX", "DATABASE", "SCHEMA", "USER", "ROLE", "SERVER", "TABLESPACE", "SEQUENCE", "PACKAGE"}

// describe returns the subject of a statement, from its first words.
func describe(sql []byte) subject {
	var head []token
	for t := range scan(sql) {
		if head = append(head, t); len(head) == headLength {
			break
		}
	}
	if len(head) == 0 || head[0].kind != word {
		return subject{}
	}
	s := subject{verb: strings.ToUpper(head[0].value)}
	rest := head[1:]
	switch s.verb {
	case "CREATE", "ALTER", "DROP":
		rest = s.thing(rest)
	case "INSERT", "REPLACE", "UPDATE", "DELETE", "TRUNCATE":
		s.kind = "TABLE"
		rest = after(rest, "LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK", "IGNORE", "INTO", "FROM", "TABLE")
	case "LOCK", "LOAD":
		s.kind = "TABLE"
		rest = from(rest, "TABLE", "TABLES")
	case "USE":
		s.kind = "DATABASE"
	default:
		return s
	}
	s.call(rest)
	return s
}

// thing sets the kind and returns the tokens from the name on. An index belongs to its table.
func (s *subject) thing(rest []token) []token {
	for i, t := range rest {
		if t.kind != word || !slices.Contains(things, strings.ToUpper(t.value)) {
			continue
		}
		s.kind = strings.ToUpper(t.value)
		switch s.kind {
		case "SCHEMA":
			s.kind = "DATABASE"
		case "INDEX":
			s.kind = "TABLE"
			return from(rest[i+1:], "ON")
		}
		return after(rest[i+1:], "IF", "NOT", "EXISTS")
	}
	return nil
}

// call sets the name, which may stand behind its database's.
func (s *subject) call(rest []token) {
	if len(rest) == 0 || !rest[0].isName() {
		s.kind = ""
		return
	}
	s.name = rest[0].value
	if len(rest) > 2 && rest[1].value == "." && rest[2].isName() {
		s.database, s.name = s.name, rest[2].value
	}
}

// after skips words in front of a name.
func after(rest []token, words ...string) []token {
	for len(rest) > 0 && rest[0].kind == word && slices.Contains(words, strings.ToUpper(rest[0].value)) {
		rest = rest[1:]
	}
	return rest
}

// from returns the tokens behind the first of some words.
func from(rest []token, words ...string) []token {
	for i, t := range rest {
		if t.kind == word && slices.Contains(words, strings.ToUpper(t.value)) {
			return rest[i+1:]
		}
	}
	return nil
}

// holdsRows reports whether rows may be missing if the statement fails. Routines and triggers hold none.
func (s subject) holdsRows() bool { return s.kind == "TABLE" || s.kind == "VIEW" }
