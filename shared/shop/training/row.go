// Package training is the training row: its columns, how the shop's rows become it, and the Parquet files
// that carry rows from step to step.
//
// shape.Shop is the table of the columns. extract writes raw rows: the source's values as they are, the bad ones too.
// transform joins and cleans them into rows of a range. partition-write splits those by customer into partitions.
// Money is DECIMAL(10,2): an int64 of hundredths, never a float. Prices of more decimals are rounded to that.
package training

import (
	"fmt"
	"io"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
)

// Raw is a row of the source, as RawNames has its columns. "" is NULL, a number is MySQL's text.
type Raw []string

// Key returns the id of a customer or a product.
func (r Raw) Key() string { return r[0] }

// RowWriter writes rows of a schema, column by column, which costs less than row by row.
type RowWriter struct {
	file    *parquet.GenericWriter[any]
	columns [][]parquet.Value
	waiting int   // rows in columns
	grouped int   // rows in the file's current row group
	total   int64 // rows that were added
}

// columnBatch is how many rows a column takes at once. It bounds how far a page exceeds pageBuffer.
const columnBatch = 64

// NewRowWriter starts a range's file. Close completes it.
func NewRowWriter(shop shape.Shop, out io.Writer) *RowWriter {
	return newRowWriter(out, RowSchema(shop))
}

// NewRawWriter starts a file of raw rows. Close completes it.
func NewRawWriter(shop shape.Shop, out io.Writer, table TableName) *RowWriter {
	return newRowWriter(out, rawSchema(shop, table))
}

func newRowWriter(out io.Writer, schema *parquet.Schema) *RowWriter {
	return &RowWriter{
		file:    parquet.NewGenericWriter[any](out, append(Options(), schema)...),
		columns: make([][]parquet.Value, len(schema.Columns())),
	}
}

// Append adds a row of the parts one after the other. Texts that the values point at must stay as they are until Close.
func (w *RowWriter) Append(parts ...[]parquet.Value) error {
	column := 0
	for _, part := range parts {
		for _, value := range part {
			w.columns[column] = append(w.columns[column], value)
			column++
		}
	}
	return w.appended()
}

// appended counts a row of the columns.
func (w *RowWriter) appended() error {
	w.total++
	if w.waiting++; w.waiting < columnBatch {
		return nil
	}
	return w.flush()
}

// AppendRaw adds a raw row. The slice may change afterwards.
func (w *RowWriter) AppendRaw(raw Raw) error {
	for i, text := range raw {
		var value parquet.Value
		if text == "" {
			value = parquet.NullValue().Level(0, 0, i)
		} else {
			value = textValue(text).Level(0, 1, i)
		}
		w.columns[i] = append(w.columns[i], value)
	}
	return w.appended()
}

// textValue returns a text's value, which shares its bytes. parquet.ValueOf would allocate for each.
func textValue(text string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(text), len(text)))
}

// Rows returns the number of rows that were added.
func (w *RowWriter) Rows() int64 { return w.total }

// Close completes the file. It does not close the file under it.
func (w *RowWriter) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("completing a Parquet file: %w", err)
	}
	return nil
}

// flush writes the rows that wait, and starts a row group when one is full.
func (w *RowWriter) flush() error {
	if w.waiting == 0 {
		return nil
	}
	if w.grouped == rowGroup {
		if err := w.file.Flush(); err != nil {
			return fmt.Errorf("writing a Parquet row group: %w", err)
		}
		w.grouped = 0
	}
	for i, writer := range w.file.ColumnWriters() {
		if _, err := writer.WriteRowValues(w.columns[i]); err != nil {
			return fmt.Errorf("writing Parquet rows: %w", err)
		}
		w.columns[i] = w.columns[i][:0]
	}
	w.grouped, w.waiting = w.grouped+w.waiting, 0
	return nil
}
