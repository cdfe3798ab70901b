package dump

import (
	"bytes"
	"slices"
	"strings"

	"recsys/infra/local/db/mysql"
)

// change puts other bytes in the place of some.
type change struct {
	start, end int
	with       string
}

// rewrite returns the statement in the form that the engine takes and that an account without rights over others may
// run. It has no foreign DEFINER, and no SQL mode or collation that only another server knows. Rows are never
// changed.
func rewrite(sql []byte, s subject, engine mysql.Engine) []byte {
	var changes []change
	switch s.verb {
	case "CREATE", "ALTER":
		changes = append(definers(sql), collations(sql, engine)...)
	case "SET":
		changes = append(modes(sql, engine), collations(sql, engine)...)
	}
	if len(changes) == 0 {
		return sql
	}
	slices.SortFunc(changes, func(a, b change) int { return a.start - b.start })
	var out bytes.Buffer
	at := 0
	for _, c := range changes {
		out.Write(sql[at:c.start])
		out.WriteString(c.with)
		at = c.end
	}
	out.Write(sql[at:])
	return out.Bytes()
}

// definers finds the DEFINER clause in front of the thing that is made. Without it the account that loads is the
// definer, which exists and may read the dump's data.
func definers(sql []byte) (found []change) {
	var head []token
	for t := range scan(sql) {
		if t.kind == word && slices.Contains(things, strings.ToUpper(t.value)) && (len(head) < 2 || head[len(head)-1].value != "=" && head[len(head)-1].value != "@") {
			break
		}
		if head = append(head, t); len(head) == headLength {
			break
		}
	}
	for i, t := range head {
		if t.is("DEFINER") && i+2 < len(head) && head[i+1].value == "=" {
			return []change{{t.start, endOfUser(head[i+2:]), ""}}
		}
	}
	return nil
}

// endOfUser is the offset behind user@host, a role, or CURRENT_USER with or without its parentheses. A bare host may
// be an address.
func endOfUser(rest []token) int {
	end := rest[0].end
	for _, t := range rest[1:] {
		if t.start != end && t.value != "@" && t.value != "(" && t.value != ")" {
			break
		}
		if t.kind == mark && !strings.Contains("@.%-:()", t.value) {
			break
		}
		end = t.end
	}
	return end
}

// otherModes are the SQL modes that the engine does not have.
var otherModes = map[mysql.Engine][]string{
	mysql.MySQL: {
		"NO_AUTO_CREATE_USER", "DB2", "MAXDB", "MSSQL", "MYSQL323", "MYSQL40", "ORACLE", "POSTGRESQL", "NO_FIELD_OPTIONS", "NO_KEY_OPTIONS",
		"NO_TABLE_OPTIONS", "IGNORE_BAD_TABLE_OPTIONS", "EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT", "TIME_ROUND_FRACTIONAL",
	},
	mysql.MariaDB: {"TIME_TRUNCATE_FRACTIONAL"},
}

// modes takes the modes that the engine does not have out of a list of SQL modes.
func modes(sql []byte, engine mysql.Engine) (changes []change) {
	inModes := false
	for t := range scan(sql) {
		switch {
		case t.kind == word:
			inModes = t.is("SQL_MODE")
		case t.kind == text && inModes:
			kept := slices.DeleteFunc(strings.Split(t.value, ","), func(mode string) bool {
				return slices.Contains(otherModes[engine], strings.ToUpper(strings.TrimSpace(mode)))
			})
			if joined := strings.Join(kept, ","); joined != t.value {
				changes = append(changes, change{t.start, t.end, "'" + joined + "'"})
			}
		}
	}
	return changes
}

// collations finds the collations that the engine knows by another name. In a string it looks only behind COLLATE.
func collations(sql []byte, engine mysql.Engine) (changes []change) {
	behind := false
	for t := range scan(sql) {
		if t.kind == word || t.kind == text && behind {
			if other := nearest(t.value, engine); other != "" {
				with := other
				if t.kind == text {
					with = "'" + other + "'"
				}
				changes = append(changes, change{t.start, t.end, with})
			}
		}
		if t.value != "=" {
			behind = t.kind == word && strings.HasPrefix(strings.ToUpper(t.value), "COLLAT")
		}
	}
	return changes
}
