package pgwire

import (
	"regexp"
	"slices"
	"strings"
)

// kind is the effect of a statement on transactions.
type kind int

const (
	other  kind = iota
	begins      // opens an explicit transaction
	commits
	rollsBack
	writes
	copiesIn // COPY … FROM STDIN, which ends with the client's CopyDone
)

// statement is the first word of a statement, in capitals, and its effect.
type statement struct {
	command string
	kind    kind
}

func (s statement) isCopyIn() bool { return s.kind == copiesIn }

// writing are the commands that change the database. EXPLAIN ANALYZE of one is not seen as such.
var writing = strings.Fields(`INSERT UPDATE DELETE MERGE TRUNCATE CREATE ALTER DROP GRANT REVOKE COMMENT ANALYZE
	VACUUM REINDEX REFRESH CLUSTER DO CALL REASSIGN IMPORT SECURITY`)

var (
	toSavepoint = regexp.MustCompile(`(?is)^ROLLBACK\s+(WORK\s+|TRANSACTION\s+)?TO\b`)
	fromStdin   = regexp.MustCompile(`(?is)\bFROM\s+STDIN\b`)
	copyFrom    = regexp.MustCompile(`(?is)\bFROM\b`)
	copyTo      = regexp.MustCompile(`(?is)\bTO\b`)
	withWriting = regexp.MustCompile(`(?is)\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\b`)
	firstWord   = regexp.MustCompile(`^[A-Za-z]+`)
	dollarQuote = regexp.MustCompile(`^\$([A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)
	selectInto  = regexp.MustCompile(`(?is)\bINTO\b`)
)

// parse returns the kind of each statement of a text. The text may be cut short.
func parse(text string) []statement {
	var parsed []statement
	for _, bare := range split(text) {
		if bare = strings.TrimSpace(bare); bare != "" {
			parsed = append(parsed, classify(bare))
		}
	}
	return parsed
}

func first(parsed []statement) statement {
	if len(parsed) == 0 {
		return statement{}
	}
	return parsed[0]
}

// classify takes a statement without its quoted parts and comments.
func classify(bare string) statement {
	command := strings.ToUpper(firstWord.FindString(bare))
	is := func(k kind) statement { return statement{command, k} }
	switch {
	case command == "BEGIN" || command == "START":
		return is(begins)
	case command == "COMMIT" || command == "END":
		return is(commits)
	case command == "ABORT" || command == "ROLLBACK" && !toSavepoint.MatchString(bare):
		return is(rollsBack)
	case command == "COPY" && fromStdin.MatchString(bare):
		return is(copiesIn)
	case command == "COPY" && copyFrom.MatchString(bare) && !copyTo.MatchString(bare),
		command == "WITH" && withWriting.MatchString(bare),
		command == "SELECT" && selectInto.MatchString(bare),
		slices.Contains(writing, command):
		return is(writes)
	}
	return is(other)
}

// conclude follows statements that run together, from within an explicit transaction or not. It returns the statement
// that commits them, or kind other, and whether an explicit transaction is open after them.
func conclude(statements []statement, inBlock bool) (commit statement, open bool) {
	var unsaved statement // the last that wrote outside of an explicit transaction
	open = inBlock
	for _, s := range statements {
		switch s.kind {
		case begins:
			open = true
		case commits:
			if open || unsaved.kind != other {
				commit = s
			}
			open, unsaved = false, statement{}
		case rollsBack:
			open, unsaved = false, statement{}
		case writes, copiesIn:
			if !open {
				unsaved = s
			}
		}
	}
	if unsaved.kind != other && !open {
		commit = unsaved
	}
	return commit, open
}

// split cuts a text at its semicolons and leaves out quoted parts and comments
// (https://www.postgresql.org/docs/17/sql-syntax-lexical.html).
func split(text string) []string {
	var statements []string
	var bare strings.Builder
	for i := 0; i < len(text); {
		end := i + 1
		switch rest := text[i:]; {
		case rest[0] == ';':
			statements = append(statements, bare.String())
			bare.Reset()
		case rest[0] == '\'' || rest[0] == '"':
			escapes := rest[0] == '\'' && i > 0 && (text[i-1] == 'E' || text[i-1] == 'e')
			end = i + quotedLength(rest, escapes)
		case strings.HasPrefix(rest, "--"):
			end = i + through(rest, 2, "\n")
		case strings.HasPrefix(rest, "/*"):
			end = i + through(rest, 2, "*/")
		case rest[0] == '$' && dollarQuote.MatchString(rest):
			tag := dollarQuote.FindString(rest)
			end = i + through(rest, len(tag), tag)
		default:
			bare.WriteByte(rest[0])
		}
		if end > i+1 {
			bare.WriteByte(' ')
		}
		i = end
	}
	return append(statements, bare.String())
}

// through is the length up to and with end, searched from start, or of all the text.
func through(text string, start int, end string) int {
	if at := strings.Index(text[start:], end); at >= 0 {
		return start + at + len(end)
	}
	return len(text)
}

// quotedLength is the length of a part that begins with a quote, up to its closing one.
func quotedLength(text string, escapes bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\':
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}
