package embeddings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/failure"
)

func itemsOf(body io.Reader) (*Reader, *Faults) {
	var wrong Faults
	return Items("items.csv", func() (io.ReadCloser, error) { return io.NopCloser(body), nil }, &wrong), &wrong
}

// readAll does the same as COPY: each row as id[numbers].
func readAll(e *Reader) (rows []string, err error) {
	for e.Next() {
		row, err := e.Values()
		if err != nil {
			return rows, err
		}
		rows = append(rows, fmt.Sprint(row[0], row[1].(pgvector.Vector).Slice()))
	}
	return rows, e.Err()
}

func TestGoodFiles(t *testing.T) {
	want := []string{"a[0.5 -1]", "b[1e-07 2]"}
	for name, text := range map[string]string{
		"LF":                  "id,embedding\na,\"[0.5,-1]\"\nb,\"[1e-7,2]\"\n",
		"CRLF":                "id,embedding\r\na,\"[0.5,-1]\"\r\nb,\"[1e-7,2]\"\r\n",
		"no newline at end":   "id,embedding\na,\"[0.5,-1]\"\nb,\"[1e-7,2]\"",
		"byte order mark":     "\xef\xbb\xbfid,embedding\na,\"[0.5,-1]\"\nb,\"[1e-7,2]\"\n",
		"quoted ids, blanks":  "\"id\",\"embedding\"\n\"a\",\"[0.5, -1]\"\n\"b\",\" [1E-7 , 2]\"\n\n",
		"float64 as text":     "id,embedding\na,\"[0.50000000000000000001,-1.0]\"\n\nb,\"[1.0000000000000001e-07,2]\"\n",
		"one byte at a time ": "id,embedding\na,\"[0.5,-1]\"\nb,\"[1e-7,2]\"\n",
	} {
		e, _ := itemsOf(iotest.OneByteReader(strings.NewReader(text)))
		e.Peek()
		if e.Dimension != 2 {
			t.Errorf("%s: dimension %d", name, e.Dimension)
		}
		if rows, err := readAll(e); err != nil || !slices.Equal(rows, want) {
			t.Errorf("%s: got %v, %v", name, rows, err)
		}
	}
}

func TestBadLines(t *testing.T) {
	zeros := strings.TrimSuffix(strings.Repeat("1,", MaxDimension+1), ",")
	for line, want := range map[string]string{
		``:                                       "there is no embedding in the file",
		`a`:                                      "one field",
		`a,`:                                     "no embedding",
		`,"[1]"`:                                 "no id",
		`a,[1,2]`:                                "not in quotes",
		`a,"1,2"`:                                "not in square brackets",
		`a,"[]"`:                                 "number 1 is no number",
		`a,"[1,]"`:                               "number 2 is no number",
		`a,"[1,x]"`:                              "number 2 is no number",
		`a,"[1,0x]"`:                             "number 2 is no number",
		`a,"[1,-inf]"`:                           "number 2 is not finite",
		`a,"[1,1e39]"`:                           "number 2 is not finite",
		`a,"[0,-0.0]"`:                           "all numbers are zero",
		`a,"[1e-30,0]"`:                          "too small to have a direction",
		`a,"[1e30,0]"`:                           "too large to have a length",
		`a,"[1,2]`:                               "unterminated quote",
		`a,"`:                                    "unterminated quote",
		`"a,[1,2]`:                               "unterminated quote",
		`"a"x,"[1,2]"`:                           "no comma",
		`a,"[1","2]"`:                            "a quote within",
		`a,"[` + zeros + `]"`:                    "more than 2000 numbers",
		` a,"[1]"`:                               "blanks at its ends",
		"a\x00,\"[1]\"":                          "NUL character",
		"\"a\nb\"\"\",[1]\nc,\"[1]":              "line 4: unterminated quote",
		"a,\"[1]\"\n\"b\nc\",\"[0]\"\nd,\"[2]\"": "line 3: all numbers are zero",
		"a,\"[1]\"\n\"b\nc\",\"[2]\"\nd,\"[0]\"": "line 5: all numbers are zero",
		"\"a\n" + strings.Repeat("b\n", maxLine): "line 2: a quote that does not end within",
		"\xff,\"[1]\"":                           "not UTF-8",
		strings.Repeat("i", 256) + `,"[1]"`:      "longer than 255 characters",
		`a,"[` + strings.Repeat(" ", maxLine):    "longer than",
		"a,\"[1]\"\nb,\"[1,2]\"":                 "line 3: 2 numbers, the first embedding of the items has 1",
		"a,\"[1]\"\n\na,\"[1]\"":                 "line 4: id a stands in line 2 already",
		"id,embedding\na,\"[1]\"\nb,\"[1,2]\"\n": "line 2: the embedding is not in square brackets",
	} {
		e, _ := itemsOf(strings.NewReader("id,embedding\n" + line))
		rows, err := readAll(e)
		if line == "id,embedding\na,\"[1]\"\nb,\"[1,2]\"\n" { // a header twice
			line = "two headers"
		}
		if !errors.Is(err, failure.InvalidEmbeddings) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, %v; want %q", line, rows, err, want)
		}
	}
	for text, want := range map[string]string{"": "line 1: the file is empty", "item,vector\n": "line 1: the header is not id,embedding"} {
		e, _ := itemsOf(strings.NewReader(text))
		if _, err := readAll(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestReadingBreaksOff(t *testing.T) {
	e, _ := itemsOf(io.MultiReader(strings.NewReader("id,embedding\na,\"[1]\"\nb,"), iotest.ErrReader(failure.ObjectStoreUnavailable.Wrap(errors.New("reset")))))
	rows, err := readAll(e)
	if !errors.Is(err, failure.ObjectStoreUnavailable) || len(rows) != 1 {
		t.Errorf("got %v, %v", rows, err)
	}
}

// For any bytes there is no panic, and each vector that is read fits a vector column.
func FuzzEmbeddings(f *testing.F) {
	f.Add([]byte("id,embedding\na,\"[1,0]\"\nb,\"[0.5,0.5]\"\n"))
	f.Add([]byte("\xef\xbb\xbf\"id\",\"embedding\"\r\n\"a\",\"[1e-3, 2]\"\r\n"))
	f.Add([]byte("id,embedding\na,[1]\na,\"[nan]\"\n\"b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, wrong := itemsOf(bytes.NewReader(text))
		dimension := 0
		for e.Next() {
			row, _ := e.Values()
			vector := row[1].(pgvector.Vector).Slice()
			if dimension == 0 {
				dimension = len(vector)
			}
			if len(vector) != dimension || dimension > MaxDimension || row[0] == "" {
				t.Fatalf("row %v", row)
			}
			for _, number := range vector {
				if math.IsNaN(float64(number)) || math.IsInf(float64(number), 0) {
					t.Fatalf("row %v", row)
				}
			}
		}
		if len(wrong.named) > maxFaults || (wrong.total == 0) != (e.Err() == nil) {
			t.Fatalf("%d faults, %v", wrong.total, e.Err())
		}
	})
}

// bigFile is a file of n random embeddings, as pandas writes float32.
func bigFile(n, dimension int) []byte {
	random := rand.New(rand.NewPCG(1, 1))
	text := []byte("id,embedding\n")
	for i := range n {
		text = fmt.Appendf(text, "S%d,\"[", i)
		for range dimension {
			text = append(strconv.AppendFloat(text, random.NormFloat64(), 'g', -1, 32), ',')
		}
		text = append(text[:len(text)-1], "]\"\n"...)
	}
	return text
}

func BenchmarkParse(b *testing.B) {
	const rows = 20_000
	text := bigFile(rows, 32)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		e, _ := itemsOf(bytes.NewReader(text))
		n := 0
		for e.Next() {
			n++
		}
		if n != rows || e.Err() != nil {
			b.Fatal(n, e.Err())
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
