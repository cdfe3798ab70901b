package sampleshop

import (
	"io"
	"strconv"
	"time"
)

const (
	// A statement ends at the first row that makes it longer than this, in bytes: far below the least
	// max_allowed_packet in use (4 MiB).
	statementSize = 256 << 10
	// A table's rows are held until there are this many bytes of them.
	bufferSize = 1 << 20
)

// insert collects the rows of one table as INSERT statements of many rows each.
type insert struct {
	head  string
	text  []byte
	start int // where the open statement begins in text, or -1
	first bool
}

func newInsert(table, columns string) *insert {
	return &insert{head: "INSERT INTO `" + table + "` (" + columns + ") VALUES\n", start: -1}
}

// row begins a row. Its values follow in the order of the columns, then end.
func (t *insert) row() *insert {
	if t.start < 0 {
		t.start = len(t.text)
		t.text = append(t.text, t.head...)
	} else {
		t.text = append(t.text, ",\n"...)
	}
	t.text = append(t.text, '(')
	t.first = true
	return t
}

func (t *insert) comma() {
	if !t.first {
		t.text = append(t.text, ',')
	}
	t.first = false
}

func (t *insert) null() *insert {
	t.comma()
	t.text = append(t.text, "NULL"...)
	return t
}

func (t *insert) int(n int) *insert {
	t.comma()
	t.text = strconv.AppendInt(t.text, int64(n), 10)
	return t
}

// intOrNull writes 0 as NULL.
func (t *insert) intOrNull(n int) *insert {
	if n == 0 {
		return t.null()
	}
	return t.int(n)
}

func (t *insert) money(cents int) *insert {
	t.comma()
	t.text = appendMoney(t.text, cents)
	return t
}

func (t *insert) str(s string) *insert {
	t.comma()
	t.text = append(t.text, '\'')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\'', '\\', '"':
			t.text = append(t.text, '\\', c)
		case '\n':
			t.text = append(t.text, '\\', 'n')
		default:
			t.text = append(t.text, c)
		}
	}
	t.text = append(t.text, '\'')
	return t
}

func (t *insert) strOrNull(s string, isNull bool) *insert {
	if isNull {
		return t.null()
	}
	return t.str(s)
}

// date writes the zero time as NULL.
func (t *insert) date(d time.Time) *insert {
	if d.IsZero() {
		return t.null()
	}
	t.comma()
	t.text = append(t.text, '\'')
	t.text = d.AppendFormat(t.text, time.DateOnly)
	t.text = append(t.text, '\'')
	return t
}

func (t *insert) end() {
	t.text = append(t.text, ')')
	if len(t.text)-t.start > statementSize {
		t.close()
	}
}

func (t *insert) close() {
	if t.start >= 0 {
		t.text = append(t.text, ";\n"...)
		t.start = -1
	}
}

func (t *insert) full() bool { return len(t.text) > bufferSize }

func (t *insert) flush(w io.Writer) error {
	t.close()
	_, err := w.Write(t.text)
	t.text = t.text[:0]
	return err
}

// appendMoney writes cents as a decimal number with two places.
func appendMoney(text []byte, cents int) []byte {
	text = strconv.AppendInt(text, int64(cents/100), 10)
	return append(text, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}
