package dump

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"recsys/shared/shop/sqlfile"
)

// Problem is a statement that the server refused. Its text holds no data of the dump.
type Problem struct {
	File    string
	Line    int     // that the statement starts on, from 1
	Subject subject // the table, trigger and so on
	More    int     // statements of the same subject that were refused later
	Err     error
}

func (p Problem) Error() string {
	described := fmt.Sprintf("%s, line %d, %v: %s", p.File, p.Line, p.Subject, reason(p.Err))
	switch {
	case p.More > 0 && p.Subject.kind == "":
		described += fmt.Sprintf(" (and %d more such statements)", p.More)
	case p.More > 0:
		described += fmt.Sprintf(" (and %d more statements about it)", p.More)
	}
	return described
}

func (p Problem) Unwrap() error { return p.Err }

// number is the server's, or 0 if the server said nothing.
func number(err error) uint16 {
	var answered *driver.MySQLError
	if errors.As(err, &answered) {
		return answered.Number
	}
	return 0
}

// Numbers of errors: https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html.
const (
	unknownSetting   = 1193
	duplicateEntry   = 1062
	unknownCollation = 1273
	unknownEngine    = 1286
)

// denied are errors of an account that lacks a right.
var denied = []uint16{1044, 1045, 1142, 1143, 1227, 1290, 1370, 3619, 4051}

// ofForeignKeys are errors of a constraint that cannot be made. Its table is there without it.
var ofForeignKeys = []uint16{1005, 1215, 1452, 1822, 1824, 1825, 3734, 3780, 6125}

// nothingToDrop are errors of a DROP whose thing is not there.
var nothingToDrop = []uint16{1008, 1051, 1091, 1141, 1305, 1360, 1539, 4031, 4092, 4151}

// where is the end of a message that quotes a value first and then names its place.
var where = regexp.MustCompile("for (?:key|column) ['`][^'\\s]+['`](?: at row \\d+)?$")

// advice says how to mend an error.
var advice = map[uint16]string{
	sqlfile.SyntaxError: "the server does not know this SQL: was the dump written by the other engine (--source-engine), is the file whole?",
	duplicateEntry:      "two rows have the same key: remove one, or load the dump on the engine that wrote it (--source-engine)",
	unknownCollation:    "load the dump on the engine that wrote it (--source-engine)",
	unknownEngine:       "dump the table with another storage engine, such as InnoDB",
}

// reason is the server's message without data, with advice.
func reason(err error) string {
	var answered *driver.MySQLError
	if !errors.As(err, &answered) {
		return err.Error()
	}
	said := fmt.Sprintf("MySQL error %d", answered.Number)
	switch place := where.FindString(answered.Message); {
	case sqlfile.NamesOnly(answered.Number):
		said += ": " + answered.Message
	case place != "":
		said += " " + place
	default:
		said += fmt.Sprintf(" (SQLSTATE %s)", answered.SQLState[:])
	}
	if slices.Contains(denied, answered.Number) {
		return said + "; a dump may fill its own databases and do nothing else"
	}
	if todo := advice[answered.Number]; todo != "" {
		return said + "; " + todo
	}
	return said
}

// MissingError says that tables which the shop needs are not whole.
type MissingError []Problem

func (e MissingError) Error() string {
	var lines []string
	for _, p := range e {
		lines = append(lines, p.Error())
	}
	return "tables of the shop could not be loaded:\n  " + strings.Join(lines, "\n  ")
}
