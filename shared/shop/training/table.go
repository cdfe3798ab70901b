package training

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/store/objectstore"
)

// Object is a Parquet object of the lake, downloaded to a scratch file.
type Object struct {
	File    *parquet.File
	scratch *os.File
}

// OpenFile downloads an object.
func OpenFile(ctx context.Context, store *objectstore.Store, key string) (*Object, error) {
	scratch, _, err := store.Download(ctx, key)
	if err != nil {
		return nil, err
	}
	file, err := Open(scratch)
	if err != nil {
		scratch.Close()
		return nil, fmt.Errorf("%s: %w", store.URI(key), err)
	}
	return &Object{file, scratch}, nil
}

// Close deletes the scratch file.
func (o *Object) Close() error { return o.scratch.Close() }

// Table is an Object that is read row by row.
type Table[T any] struct {
	*Scanner[T]
	*Object
}

// OpenTable downloads an object. T may name fewer columns than it has.
func OpenTable[T any](ctx context.Context, store *objectstore.Store, key string) (*Table[T], error) {
	object, err := OpenFile(ctx, store, key)
	if err != nil {
		return nil, err
	}
	return &Table[T]{NewScanner[T](object.File), object}, nil
}

// Close frees the buffers and the scratch file.
func (t *Table[T]) Close() error { return errors.Join(t.Scanner.Close(), t.Object.Close()) }

// RawTable is a raw file of customers or products, downloaded and read row by row.
type RawTable struct {
	*Object
	file *parquet.GenericReader[any]
	rows []parquet.Row
	next int
	end  error
}

// OpenRaw downloads a raw file.
func (s Shop) OpenRaw(ctx context.Context, store *objectstore.Store, table TableName, key string) (*RawTable, error) {
	object, err := OpenFile(ctx, store, key)
	if err != nil {
		return nil, err
	}
	return &RawTable{Object: object, file: parquet.NewGenericReader[any](object.File, s.rawSchema(table)), rows: make([]parquet.Row, 0, batch)}, nil
}

// Next returns the next row, or io.EOF.
func (t *RawTable) Next() (Raw, error) {
	for t.next == len(t.rows) {
		if t.end != nil {
			return nil, t.end
		}
		n, err := t.file.ReadRows(t.rows[:cap(t.rows)])
		t.rows, t.next, t.end = t.rows[:n], 0, err
		if err != nil && !errors.Is(err, io.EOF) {
			t.end = fmt.Errorf("reading Parquet rows: %w", err)
		}
	}
	raw := make(Raw, len(t.rows[t.next]))
	for i, value := range t.rows[t.next] {
		if !value.IsNull() {
			raw[i] = string(value.ByteArray())
		}
	}
	t.next++
	return raw, nil
}

// Close frees the buffers and the scratch file.
func (t *RawTable) Close() error { return errors.Join(t.file.Close(), t.Object.Close()) }

// rejectedKey is the metadata of a range's file that counts its rejected rows by reason: with the rows in one
// object, neither can be of another attempt than the other.
const rejectedKey = "rejected"

// described is a file that takes metadata while it is written.
type described interface{ describe(key, value string) }

func (w *RowWriter) describe(key, value string) { w.file.SetKeyValueMetadata(key, value) }
func (w *Writer[T]) describe(key, value string) { w.file.SetKeyValueMetadata(key, value) }

// SetRejected puts the rejected rows' counts into a range's file.
func SetRejected(rows described, reasons map[Reason]int64) error {
	counts, err := json.Marshal(reasons)
	if err != nil {
		return fmt.Errorf("encoding the rejected rows' counts: %w", err)
	}
	rows.describe(rejectedKey, string(counts))
	return nil
}

// Rejected reads the rejected rows' counts, by reason, from a range's file.
func Rejected(file *parquet.File) (map[string]int64, error) {
	text, ok := file.Lookup(rejectedKey)
	if !ok {
		return nil, fmt.Errorf("a range's file without the metadata %q", rejectedKey)
	}
	counts := map[string]int64{}
	if err := json.Unmarshal([]byte(text), &counts); err != nil {
		return nil, fmt.Errorf("a range's metadata %q: %w", rejectedKey, err)
	}
	return counts, nil
}
