package training

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
	"recsys/shared/store/objectstore"
)

// Object is a Parquet object of the lake, downloaded to a scratch file.
type Object struct {
	File    *parquet.File
	Scratch *os.File // has the content of File
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
func (o *Object) Close() error { return o.Scratch.Close() }

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

// RawTable is a raw file, downloaded and read row by row.
type RawTable struct {
	*Object
	file *parquet.GenericReader[any]
	rows []parquet.Row
	next int
	end  error
	// texts has one copy of each text of interactions, by column.
	texts []map[string]string
}

// OpenRaw downloads a raw file.
func OpenRaw(ctx context.Context, store *objectstore.Store, shop shape.Shop, table TableName, key string) (*RawTable, error) {
	object, err := OpenFile(ctx, store, key)
	if err != nil {
		return nil, err
	}
	raw := &RawTable{Object: object, file: parquet.NewGenericReader[any](object.File, rawSchema(shop, table)), rows: make([]parquet.Row, 0, batch)}
	if table == InteractionTable {
		raw.texts = make([]map[string]string, len(RawNames(shop, table)))
	}
	return raw, nil
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
			raw[i] = t.text(i, value.ByteArray())
		}
	}
	t.next++
	return raw, nil
}

// maxTexts bounds the texts of a column that are kept.
const maxTexts = 1 << 16

// text returns one string for equal texts of a column. Interactions repeat their few texts, customers do not.
func (t *RawTable) text(column int, bytes []byte) string {
	if t.texts == nil {
		return string(bytes)
	}
	if text, known := t.texts[column][string(bytes)]; known {
		return text
	}
	text := string(bytes)
	if t.texts[column] == nil || len(t.texts[column]) == maxTexts {
		t.texts[column] = map[string]string{}
	}
	t.texts[column][text] = text
	return text
}

// Close frees the buffers and the scratch file.
func (t *RawTable) Close() error { return errors.Join(t.file.Close(), t.Object.Close()) }
