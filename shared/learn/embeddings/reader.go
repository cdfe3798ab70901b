// Package embeddings reads and writes the files of embeddings, embeddings/item_embeddings.csv and
// embeddings/user_embeddings.csv. A data scientist or functions/train writes them, and embedding-upload and evaluate
// read them.
//
// Promise: reading is strict, a stream, and names every bad line at once. A Reader reads the output of Write back bit
// for bit. Spec: docs/training.md, "What a data scientist hands over".
package embeddings

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/shape"
)

// maxLine bounds a line, in bytes: 2,000 numbers of 25 characters take 50 kB.
const maxLine = 256 << 10

var byteOrderMark = []byte("\xef\xbb\xbf")

// Reader reads a file of embeddings as a stream, one row at a time, and is a pgx.CopyFromSource of (id, vector). The
// form is strict. The header is id,embedding. Then come an id and a vector in quotes, as pgvector writes it. LF and
// CRLF, empty lines and a byte order mark are fine. From the first bad line on it yields no more rows but notes the
// other bad lines in faults. Memory: a line, and each id once (for a million items about 100 MB).
type Reader struct {
	Dimension int // of all lines. 0: the first good line decides

	file    string
	open    func() (io.ReadCloser, error) // called when the first row is wanted
	parseID func([]byte) (id, flaw string)
	faults  *Faults

	body    io.ReadCloser
	in      *bufio.Reader
	line    int            // where the record begins
	read    int            // lines read so far
	lines   map[string]int // where an id stands
	record  []byte         // reused: a record of several lines
	vector  []float32      // reused: COPY has encoded a row before it asks for the next
	id      string
	row     [2]any
	pending bool  // the row that peek has read is not yet handed out
	bad     bool  // a line of this file was
	failed  error // reading broke off
}

// Items reads a file whose ids are items' codes. file is its name in faults, and open is called before the first row.
func Items(file string, open func() (io.ReadCloser, error), faults *Faults) *Reader {
	return &Reader{file: file, open: open, parseID: shape.Text.ParseID, faults: faults}
}

// Users reads a file whose ids are customers' ids of a type. Row returns whole numbers in canonical decimal. See Items.
func Users(file string, of shape.Type, open func() (io.ReadCloser, error), faults *Faults) *Reader {
	return &Reader{file: file, open: open, parseID: of.ParseID, faults: faults}
}

// Peek reads up to the first good row, so that the dimension is known. It returns the error that broke the reading
// off, if any. Bad lines are in the faults.
func (e *Reader) Peek() error {
	e.pending = e.Next()
	return e.failed
}

// ReadRest goes on to the end of the file, so that all of its faults are found. It returns the error that broke the
// reading off.
func (e *Reader) ReadRest() error {
	for e.Next() {
	}
	return e.failed
}

// Next goes on to the next row. It returns false at the end, after a fault, and if reading broke off.
func (e *Reader) Next() bool {
	if e.pending {
		e.pending = false
		return true
	}
	if e.in == nil && e.failed == nil {
		e.start()
	}
	return e.failed == nil && e.advance()
}

// Values is the row: the id, a string, and a pgvector.Vector that is good until the next call of Next.
func (e *Reader) Values() ([]any, error) {
	e.row = [2]any{e.id, pgvector.NewVector(e.vector)}
	return e.row[:], nil
}

// Row returns the row. The vector is good until the next call of Next.
func (e *Reader) Row() (id string, vector []float32) { return e.id, e.vector }

// Has reports whether a row up to the current one has the id.
func (e *Reader) Has(id string) bool {
	_, has := e.lines[id]
	return has
}

// Err says why there are fewer rows than lines: InvalidEmbeddings, or the error of reading.
func (e *Reader) Err() error {
	if e.failed != nil {
		return e.failed
	}
	return e.faults.Err()
}

// Close ends the reading.
func (e *Reader) Close() error {
	if e.body == nil {
		return nil
	}
	return e.body.Close()
}

func (e *Reader) start() {
	if e.body, e.failed = e.open(); e.failed == nil {
		e.in, e.lines = bufio.NewReaderSize(e.body, maxLine), map[string]int{}
		e.header()
	}
}

func (e *Reader) header() {
	text, ok := e.readRecord()
	switch text = bytes.TrimPrefix(text, byteOrderMark); {
	case e.failed != nil:
	case !ok:
		e.line = 1
		e.fault("the file is empty")
	case string(text) != "id,embedding" && string(text) != `"id","embedding"`:
		e.fault("the header is not id,embedding")
	}
}

// advance reads up to the next row. After a bad line it reads to the end of the file.
func (e *Reader) advance() bool {
	for {
		text, ok := e.readRecord()
		if !ok && e.failed == nil && !e.bad && len(e.lines) == 0 {
			e.line = e.read // the last one that the file has
			e.fault("there is no embedding in the file")
		}
		if !ok {
			return false
		}
		if len(text) == 0 {
			continue
		}
		if reason := e.parse(text); reason != "" {
			e.fault(reason)
		}
		if !e.bad {
			return true
		}
	}
}

func (e *Reader) fault(reason string) {
	e.bad = true
	e.faults.add(e.file, e.line, reason)
}

// readRecord returns the next record without its end, or false at the end of the file. A record is one line, or several
// if its id holds lines' ends in quotes. A record that is too long is a fault and comes back empty.
func (e *Reader) readRecord() (record []byte, ok bool) {
	e.line = e.read + 1
	line, ok := e.readLine()
	if len(line) == 0 || line[0] != '"' || closingQuote(line, 1) >= 0 {
		return withoutEnd(line), ok
	}
	record = append(e.record[:0], line...)
	for from := 1; closingQuote(record, from) < 0; {
		if line, ok = e.readLine(); !ok {
			break
		}
		from, record = len(record), append(record, line...)
		if len(record) > maxLine {
			e.fault(fmt.Sprintf("a quote that does not end within %d bytes", maxLine))
			return nil, true
		}
	}
	e.record = record
	return withoutEnd(record), e.failed == nil
}

func withoutEnd(record []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r"))
}

// readLine returns the next line with its end, or false at the end of the file. A line that is too long is a fault and
// comes back empty.
func (e *Reader) readLine() (line []byte, ok bool) {
	line, err := e.in.ReadSlice('\n')
	if len(line) > 0 {
		e.read++
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		e.fault(fmt.Sprintf("longer than %d bytes", maxLine))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = e.in.ReadSlice('\n')
		}
		line, ok = nil, true
	}
	if err != nil && err != io.EOF {
		e.failed = fmt.Errorf("reading %s after line %d: %w", e.file, e.read, err)
		return nil, false
	}
	return line, ok || len(line) > 0
}

// parse reads a line into id and vector, and returns the reason if it cannot.
func (e *Reader) parse(text []byte) (reason string) {
	field, literal, reason := split(text)
	if reason != "" {
		return reason
	}
	id, reason := e.parseID(field)
	if reason != "" {
		return reason
	}
	if first, repeated := e.lines[id]; repeated {
		return fmt.Sprintf("id %v stands in line %d already", id, first)
	}
	e.lines[id] = e.line
	if e.vector, reason = appendVector(e.vector[:0], literal); reason != "" {
		return reason
	}
	switch {
	case len(e.vector) == e.Dimension:
	case e.Dimension == 0:
		e.Dimension = len(e.vector)
	default:
		return fmt.Sprintf("%d numbers, the first embedding of the items has %d", len(e.vector), e.Dimension)
	}
	e.id = id
	return ""
}
