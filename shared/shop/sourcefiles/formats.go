package sourcefiles

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/store/objectstore"
)

// table is a file that is read row by row.
type table interface {
	// names returns the columns. NDJSON may find more with each row.
	names() []string
	// next returns the texts of a row, "" for NULL, or io.EOF. They are valid until the next call.
	next() ([]string, error)
	Close() error
}

// formatError is a file that is not as its format or the shop file says.
type formatError struct{ err error }

func (e *formatError) Error() string { return e.err.Error() }
func (e *formatError) Unwrap() error { return e.err }

func badf(format string, args ...any) error { return &formatError{fmt.Errorf(format, args...)} }

// open opens a file by the end of its name. A .gz is unpacked on the way.
func open(ctx context.Context, store *objectstore.Store, object objectstore.Object) (table, error) {
	name := strings.ToLower(object.Key)
	if strings.HasSuffix(name, ".parquet") {
		return openParquet(ctx, store, object)
	}
	body, found, err := store.Open(ctx, object.Key)
	if err != nil {
		return nil, err
	}
	if found.ETag != object.ETag {
		body.Close()
		return nil, changed(store, object)
	}
	var content io.Reader = bufio.NewReaderSize(body, 1<<20)
	if rest, packed := strings.CutSuffix(name, ".gz"); packed {
		if content, err = gzip.NewReader(content); err != nil {
			body.Close()
			return nil, badf("unpacking: %w", err)
		}
		name = rest
	}
	file, err := openText(path.Ext(name), content, body)
	if err != nil {
		body.Close()
	}
	return file, err
}

func openText(extension string, content io.Reader, body io.Closer) (table, error) {
	switch extension {
	case ".csv", ".txt":
		return openCSV(content, body, 0)
	case ".tsv":
		return openCSV(content, body, '\t')
	case ".ndjson", ".jsonl", ".json":
		return openNDJSON(content, body)
	default:
		return nil, badf("the name ends in %q: want .csv, .tsv, .ndjson, .jsonl, each with .gz or without, or .parquet", extension)
	}
}

// changed is a file that was replaced while it was read. Another attempt reads the new one.
func changed(store *objectstore.Store, object objectstore.Object) error {
	return failure.ObjectStoreUnavailable.Errorf("%s was replaced while it was read", store.URI(object.Key))
}

// place finds the columns in a file. The exact name goes first, else the only one that differs in case.
func place(columns []wanted, names []string) error {
	for i := range columns {
		columns[i].place = -1
	}
	if len(names) == 0 { // NDJSON has no header
		return nil
	}
	return errors.Join(placeMore(columns, names), missingKeys(columns, names))
}

func placeMore(columns []wanted, names []string) error {
	for i := range columns {
		if columns[i].place >= 0 || columns[i].from == "" {
			continue
		}
		var found []int
		for at, name := range names {
			if name == columns[i].from {
				found = []int{at}
				break
			}
			if strings.EqualFold(name, columns[i].from) {
				found = append(found, at)
			}
		}
		if len(found) > 1 {
			return badf("several columns are called %s but for case", columns[i].from)
		}
		if len(found) == 1 {
			columns[i].place = found[0]
		}
	}
	return nil
}

// missingKeys reports the columns that a file has to have and has not.
func missingKeys(columns []wanted, names []string) error {
	var missing []string
	for _, column := range columns {
		if column.must && column.place < 0 {
			missing = append(missing, column.from)
		}
	}
	if len(missing) == 0 || len(names) == 0 {
		return nil
	}
	return badf("no column %s: the file has %s. Say under `names` what they are called there", strings.Join(missing, ", "), strings.Join(names, ", "))
}
