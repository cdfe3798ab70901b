package sampleshop

import (
	"bytes"
	"strings"
	"testing"
)

// table is the content of one table in the SQL: rows of text, by column. null stands for NULL.
type table struct {
	columns []string
	rows    [][]string
}

const null = "\x00NULL"

func (tb *table) column(t testing.TB, name string) []string {
	t.Helper()
	for i, c := range tb.columns {
		if c == name {
			values := make([]string, len(tb.rows))
			for n, row := range tb.rows {
				values[n] = row[i]
			}
			return values
		}
	}
	t.Fatalf("no column %s", name)
	return nil
}

// shopSQL writes a shop and reads its INSERT statements back. There is one row a line.
func shopSQL(t testing.TB, o Options) map[string]*table {
	t.Helper()
	var sql bytes.Buffer
	if err := WriteSQL(&sql, o); err != nil {
		t.Fatal(err)
	}
	tables := map[string]*table{}
	var open *table
	for line := range strings.Lines(sql.String()) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "INSERT INTO `"):
			name, columns, _ := strings.Cut(strings.TrimPrefix(line, "INSERT INTO `"), "` (")
			if open = tables[name]; open == nil {
				columns, _, _ = strings.Cut(columns, ")")
				open = &table{columns: strings.Split(strings.ReplaceAll(columns, "`", ""), ",")}
				tables[name] = open
			}
		case strings.HasPrefix(line, "("):
			row := values(t, line)
			if len(row) != len(open.columns) {
				t.Fatalf("a row of %d values for %d columns: %s", len(row), len(open.columns), line)
			}
			open.rows = append(open.rows, row)
		}
	}
	return tables
}

func values(t testing.TB, line string) []string {
	t.Helper()
	body := strings.TrimSuffix(strings.TrimRight(line, ",;"), ")")[1:]
	var row []string
	for len(body) > 0 {
		var value strings.Builder
		if body[0] != '\'' {
			bare, rest, _ := strings.Cut(body, ",")
			if bare == "NULL" {
				bare = null
			}
			row, body = append(row, bare), rest
			continue
		}
		i := 1
		for ; body[i] != '\''; i++ {
			if body[i] == '\\' {
				i++
			}
			value.WriteByte(body[i])
		}
		row, body = append(row, value.String()), strings.TrimPrefix(body[i+1:], ",")
	}
	return row
}

// keys are the values of some columns, joined by '/'.
func keys(t testing.TB, tb *table, columns ...string) []string {
	t.Helper()
	all := tb.column(t, columns[0])
	for _, c := range columns[1:] {
		for i, v := range tb.column(t, c) {
			all[i] += "/" + v
		}
	}
	return all
}
