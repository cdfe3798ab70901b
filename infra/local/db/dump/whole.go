package dump

import (
	"bytes"
	"io"
	"regexp"
)

var (
	// beginning is the first line that mysqldump writes, unless it is told to write no comments.
	beginning = regexp.MustCompile(`(?m)^(?:/\*M?!\S+ )?-- (?:MySQL|MariaDB) dump `)
	// end is the line that it writes when it has written everything.
	end = []byte("\n-- Dump completed")
)

// wholeness watches the text of a dump pass, for a dump that was cut between two statements loads without a fault.
type wholeness struct {
	io.Reader
	begun, ended bool
	last         []byte // the end of the text so far, as long as the text that is looked for
}

func (w *wholeness) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	text := append(w.last, p[:n]...)
	w.begun = w.begun || w.last == nil && beginning.Match(text[:min(len(text), headerSize)])
	w.ended = w.ended || bytes.Contains(text, end)
	w.last = bytes.Clone(text[max(0, len(text)-len(end)):])
	return n, err
}

// cut reports whether the dump begins as mysqldump writes it, and does not end so.
func (w *wholeness) cut() bool { return w.begun && !w.ended }
