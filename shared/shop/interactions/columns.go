package interactions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// batch is how many rows are in memory at once.
const batch = 1024

// table reads some columns of a Parquet object by their names, whatever types they have. Rows pass as column values,
// without becoming structs: a string for each interaction would be most of the work.
type table struct {
	*training.Object
	file  *parquet.GenericReader[any]
	index map[string]column
}

// column is a column of a row. The zero column is one that the file does not have.
type column struct {
	place int     // in the row, from 1 on
	unit  float64 // what a whole number is divided by: 100 for two decimals
}

// openTable downloads an object. Columns that it lacks read as unknown.
func openTable(ctx context.Context, store *objectstore.Store, key string, names []string) (*table, error) {
	object, err := training.OpenFile(ctx, store, key)
	if err != nil {
		return nil, err
	}
	wanted := parquet.Group{}
	for _, name := range names {
		if leaf, found := object.File.Schema().Lookup(name); found {
			wanted[name] = leaf.Node
		}
	}
	if len(wanted) == 0 {
		object.Close()
		return nil, fmt.Errorf("%s has none of the columns %q", store.URI(key), names)
	}
	schema := parquet.NewSchema("Wanted", wanted)
	t := &table{object, parquet.NewGenericReader[any](object.File, schema), map[string]column{}}
	for name, node := range wanted {
		leaf, _ := schema.Lookup(name)
		t.index[name] = column{leaf.ColumnIndex + 1, unitOf(node)}
	}
	return t, nil
}

// unitOf returns 10 to the decimals of a column.
func unitOf(node parquet.Node) float64 {
	if logical := node.Type().LogicalType(); logical != nil {
		if decimal, ok := logical.Value.(*format.DecimalType); ok {
			return math.Pow10(int(decimal.Scale))
		}
	}
	return 1
}

// each calls do for each row. The row is valid during the call.
func (t *table) each(ctx context.Context, do func(row parquet.Row) error) error {
	rows := make([]parquet.Row, batch)
	for {
		n, err := t.file.ReadRows(rows)
		for _, row := range rows[:n] {
			if err := do(row); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("reading Parquet rows: %w", err)
		}
	}
}

// Close frees the buffers and the scratch file.
func (t *table) Close() error { return errors.Join(t.file.Close(), t.Object.Close()) }

// known reports whether the row has a value.
func (c column) known(row parquet.Row) bool { return c.place > 0 && !row[c.place-1].IsNull() }

// whole returns a whole number that is known.
func (c column) whole(row parquet.Row) int64 {
	value := row[c.place-1]
	if value.Kind() == parquet.Int32 {
		return int64(value.Int32())
	}
	return value.Int64()
}

// number returns a number, or NaN.
func (c column) number(row parquet.Row) float64 {
	if !c.known(row) {
		return math.NaN()
	}
	switch value := row[c.place-1]; value.Kind() {
	case parquet.Int32, parquet.Int64:
		return float64(c.whole(row)) / c.unit
	case parquet.Double:
		return value.Double()
	case parquet.Float:
		return float64(value.Float())
	case parquet.Boolean:
		if value.Boolean() {
			return 1
		}
		return 0
	case parquet.FixedLenByteArray:
		return bigEndian(value.ByteArray()) / c.unit
	default:
		number, err := strconv.ParseFloat(string(value.ByteArray()), 64)
		if err != nil {
			return math.NaN()
		}
		return number
	}
}

// bigEndian returns a decimal of more than 18 digits, a two's complement.
func bigEndian(digits []byte) (number float64) {
	for i, digit := range digits {
		if i == 0 {
			number = float64(int8(digit))
			continue
		}
		number = number*256 + float64(digit)
	}
	return number
}

// appendText appends a value as text, nothing of an unknown one. Numbers have their shortest decimal form.
func (c column) appendText(text []byte, row parquet.Row) []byte {
	if !c.known(row) {
		return text
	}
	switch value := row[c.place-1]; {
	case value.Kind() == parquet.ByteArray:
		return append(text, value.ByteArray()...)
	case c.unit == 1 && (value.Kind() == parquet.Int32 || value.Kind() == parquet.Int64):
		return strconv.AppendInt(text, c.whole(row), 10)
	case value.Kind() == parquet.Boolean:
		return strconv.AppendBool(text, value.Boolean())
	default:
		return strconv.AppendFloat(text, c.number(row), 'f', -1, 64)
	}
}
