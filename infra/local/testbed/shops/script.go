package shops

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// statementSize is how long an INSERT gets, in bytes: far below the least max_allowed_packet in use.
const statementSize = 256 << 10

// cents is an amount of money.
type cents int

// zeroDate is what MySQL calls the zero date, a value that no calendar has.
type zeroDate struct{}

// script writes a database as MySQL statements.
type script struct {
	w      *bufio.Writer
	tables []*rows
}

// write makes the script of a database: its schema, then the rows that fill adds.
func write(w io.Writer, database, schema string, fill func(*script)) error {
	s := &script{w: bufio.NewWriterSize(w, 1<<16)}
	// Strict servers refuse zero dates. A TIMESTAMP is given in UTC.
	fmt.Fprintf(s.w, "SET NAMES utf8mb4;\nSET SESSION sql_mode = '';\nSET SESSION time_zone = '+00:00';\n"+
		"CREATE DATABASE `%[1]s` DEFAULT CHARACTER SET utf8mb4;\nUSE `%[1]s`;\n%[2]s\n", database, schema)
	fill(s)
	for _, table := range s.tables {
		table.flush()
	}
	if err := s.w.Flush(); err != nil { // has the first error of all
		return fmt.Errorf("writing the database %s: %w", database, err)
	}
	return nil
}

// rows collects the rows of a table as INSERT statements of many rows each.
type rows struct {
	w    *bufio.Writer
	head string
	text []byte
}

// table begins the rows of a table, with the names of its columns as `a, b, c`.
func (s *script) table(name, columns string) *rows {
	t := &rows{w: s.w, head: fmt.Sprintf("INSERT INTO %s (%s) VALUES\n", name, columns)}
	s.tables = append(s.tables, t)
	return t
}

func (t *rows) add(values ...any) {
	if len(t.text) == 0 {
		t.text = append(t.text, t.head...)
	} else {
		t.text = append(t.text, ",\n"...)
	}
	for i, value := range values {
		t.text = append(t.text, "(,"[min(i, 1)])
		t.text = literal(t.text, value)
	}
	t.text = append(t.text, ')')
	if len(t.text) > statementSize {
		t.flush()
	}
}

func (t *rows) flush() {
	if len(t.text) > 0 {
		t.w.Write(append(t.text, ";\n"...))
		t.text = t.text[:0]
	}
}

var quotes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func literal(text []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(text, "NULL"...)
	case int:
		return strconv.AppendInt(text, int64(v), 10)
	case cents:
		return fmt.Appendf(text, "%d.%02d", v/100, v%100)
	case float64:
		return strconv.AppendFloat(text, v, 'f', 6, 64)
	case bool:
		if v {
			return append(text, '1')
		}
		return append(text, '0')
	case string:
		return fmt.Appendf(text, "'%s'", quotes.Replace(v))
	case []byte:
		return append(append(text, "0x"...), hex.EncodeToString(v)...)
	case time.Time:
		return v.AppendFormat(text, "'"+time.DateTime+"'")
	case zeroDate:
		return append(text, "'0000-00-00 00:00:00'"...)
	}
	panic(fmt.Sprintf("no literal for a %T", value))
}
