package sourcefiles

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds a row, in bytes.
const maxLine = 1 << 20

// mark is UTF-8's byte order mark, which spreadsheets write.
const mark = "\ufeff"

// csvFile is a CSV file with a header, see RFC 4180.
type csvFile struct {
	reader *csv.Reader
	bytes  *bounded
	header []string
	body   io.Closer
}

// openCSV reads the header. Without a given comma it is the first of comma, semicolon and tab that the header has.
func openCSV(content io.Reader, body io.Closer, comma rune) (table, error) {
	limited := &bounded{from: content, left: 2 * maxLine}
	buffered := bufio.NewReaderSize(limited, maxLine)
	start, _ := buffered.Peek(64 << 10)
	if bytes.HasPrefix(start, []byte(mark)) {
		if _, err := buffered.Discard(len(mark)); err != nil {
			return nil, fmt.Errorf("reading a file: %w", err)
		}
	}
	if comma == 0 {
		comma = commaOf(start)
	}
	reader := csv.NewReader(buffered)
	reader.Comma, reader.ReuseRecord = comma, true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, badf("an empty file: want a header")
	}
	if err != nil {
		return nil, &formatError{fmt.Errorf("the header: %w", err)}
	}
	file := &csvFile{reader: reader, bytes: limited, body: body}
	for _, name := range header {
		file.header = append(file.header, strings.TrimSpace(name))
	}
	return file, nil
}

func commaOf(start []byte) rune {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	for _, comma := range ",;\t" {
		if bytes.ContainsRune(line, comma) {
			return comma
		}
	}
	return ','
}

func (f *csvFile) names() []string { return f.header }

func (f *csvFile) next() ([]string, error) {
	f.bytes.left = 2 * maxLine
	return f.reader.Read()
}

// bounded ends a row that is too long: a quote that is never closed would take the rest of the file into memory. The reader's
// buffer may hold maxLine bytes of rows to come, so twice as much may be read for one row.
type bounded struct {
	from io.Reader
	left int
}

func (b *bounded) Read(into []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("a row of more than %d KiB: is a quote not closed?", maxLine>>10)
	}
	n, err := b.from.Read(into[:min(len(into), b.left)])
	b.left -= n
	return n, err
}

func (f *csvFile) Close() error { return f.body.Close() }

// jsonFile is a file with a JSON object a line.
type jsonFile struct {
	lines  *bufio.Scanner
	keys   []string
	places map[string]int
	cells  []string
	body   io.Closer
}

func openNDJSON(content io.Reader, body io.Closer) (table, error) {
	lines := bufio.NewScanner(content)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	return &jsonFile{lines: lines, places: map[string]int{}, body: body}, nil
}

func (f *jsonFile) names() []string { return f.keys }

func (f *jsonFile) next() ([]string, error) {
	for f.lines.Scan() {
		line := bytes.TrimSpace(bytes.TrimPrefix(f.lines.Bytes(), []byte(mark)))
		if len(line) == 0 {
			continue
		}
		err := f.parse(line) // before f.cells, which it lengthens
		return f.cells, err
	}
	if err := f.lines.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// maxKeys bounds how many different keys the objects of a file may have.
const maxKeys = 1000

// parse reads the values of an object. An object or a list within it stays JSON.
func (f *jsonFile) parse(line []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return err
	}
	clear(f.cells)
	for key, value := range object {
		at, known := f.places[key]
		if !known {
			if at = len(f.keys); at == maxKeys {
				return fmt.Errorf("more than %d different keys", maxKeys)
			}
			f.places[key], f.keys, f.cells = at, append(f.keys, key), append(f.cells, "")
		}
		text, err := textOf(value)
		if err != nil {
			return err
		}
		f.cells[at] = text
	}
	return nil
}

// textOf returns a JSON value as text, "" for null.
func textOf(value json.RawMessage) (text string, err error) {
	switch {
	case string(value) == "null":
		return "", nil
	case value[0] == '"':
		err = json.Unmarshal(value, &text)
		return text, err
	default:
		return string(value), nil
	}
}

func (f *jsonFile) Close() error { return f.body.Close() }
