package source

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"recsys/shared/contract/failure"
)

// permanent are the server's errors that no further attempt can mend, by number, with advice. Numbers that are not
// here are transient, a refused login (1045) among them: a token or a password may just have been rotated. Source:
// https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html
var permanent = map[uint16]string{
	1044: "grant the user the right to read the database",
	1049: "the database does not exist: correct its name",
	1054: "a column does not exist: mend the query, or the view that it reads",
	1052: "several tables have a column of the name: write the table before it",
	1055: "a column is selected and not grouped by: mend the query, or the view that it reads",
	1060: "two columns have one name: give each a name of its own with AS",
	1064: "the server does not understand the statement: mend the query, or the view that it reads",
	1140: "aggregates and plain columns are mixed: mend the query, or the view that it reads",
	1142: "grant the user SELECT on the table",
	1143: "grant the user SELECT on the column",
	1146: "a table does not exist: restore it, or mend the query or the view that names it",
	1222: "the parts of a UNION have different columns: mend the query, or the view that it reads",
	1242: "a subquery returns several rows: mend the query, or the view that it reads",
	1267: "texts of different collations are compared: give them one with COLLATE",
	1270: "texts of different collations are compared: give them one with COLLATE",
	1271: "texts of different collations are compared: give them one with COLLATE",
	1305: "a function does not exist: restore it, or mend the query or the view that calls it",
	1345: "grant SHOW VIEW on the view, and SELECT on its tables",
	1356: "the view names a table, a column or a function that is gone, or its definer may not read them: mend the view",
	1370: "grant the view's definer EXECUTE on the routine",
	1449: "the view's definer does not exist: create that user, or recreate the view with SQL SECURITY INVOKER",
	1690: "a number is computed that its type cannot hold: mend the query, or the view that it reads",
	1792: "the pipeline only reads: a query may neither change nor lock rows, nor call a function that does",
	1814: "the table's tablespace was discarded: restore the table",
	1932: "the storage engine does not have the table: restore it",
}

// busy are errors of SQLSTATE's class 42 that pass: the account has too many connections or has asked too often.
var busy = []uint16{1203, 1226}

// wrap returns failure.SchemaMismatch for a permanent error of the server, and failure.SourceUnavailable for any other.
// SQLSTATE's class 42 is "syntax error or access rule violation".
func wrap(doing string, err error) error {
	var answer *mysql.MySQLError
	if errors.As(err, &answer) {
		remedy, known := permanent[answer.Number]
		if !known && strings.HasPrefix(string(answer.SQLState[:]), "42") && !slices.Contains(busy, answer.Number) {
			remedy, known = "mend the query, or the view that it reads", true
		}
		if known {
			return failure.SchemaMismatch.Errorf("%s: %w (%s)", doing, err, remedy)
		}
	}
	return failure.SourceUnavailable.Errorf("%s: %w", doing, err)
}
