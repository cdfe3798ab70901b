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

// batch is how many values of a column are in memory at once.
const batch = 1024

// table reads some columns of a Parquet object by their names, whatever types they have. Rows pass as column values,
// without becoming structs: a string for each interaction would be most of the work.
type table struct {
	*training.Object
	index  map[string]column
	leaves []int // of the columns in the file
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
	t := &table{Object: object, index: map[string]column{}}
	for _, name := range names {
		leaf, found := object.File.Schema().Lookup(name)
		if _, double := t.index[name]; found && !double {
			t.leaves = append(t.leaves, leaf.ColumnIndex)
			t.index[name] = column{len(t.leaves), unitOf(leaf.Node)}
		}
	}
	if len(t.leaves) == 0 {
		object.Close()
		return nil, fmt.Errorf("%s has none of the columns %q", store.URI(key), names)
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
	for _, group := range t.File.RowGroups() {
		if err := t.eachOf(ctx, group, do); err != nil {
			return err
		}
	}
	return nil
}

// chunk is a column of a row group on the way. It reads one page at a time, whose values are valid until the next read.
type chunk struct {
	values  parquet.ColumnChunkValueReader
	buffer  []parquet.Value
	waiting []parquet.Value
}

// eachOf goes as many rows at a time as all columns have values waiting. It is several times as fast as rows that the
// library puts together.
func (t *table) eachOf(ctx context.Context, group parquet.RowGroup, do func(row parquet.Row) error) error {
	chunks, columns := make([]chunk, len(t.leaves)), group.ColumnChunks()
	for i, leaf := range t.leaves {
		chunks[i] = chunk{parquet.NewColumnChunkValueReader(columns[leaf]), make([]parquet.Value, batch), nil}
		defer chunks[i].values.Close()
	}
	row := make(parquet.Row, len(chunks))
	for left := group.NumRows(); left > 0; {
		n := int(min(left, batch))
		for i := range chunks {
			waiting, err := chunks[i].fill()
			if err != nil {
				return fmt.Errorf("reading Parquet values: %w", err)
			}
			n = min(n, waiting)
		}
		for k := range n {
			for i := range chunks {
				row[i] = chunks[i].waiting[k]
			}
			if err := do(row); err != nil {
				return err
			}
		}
		for i := range chunks {
			chunks[i].waiting = chunks[i].waiting[n:]
		}
		left -= int64(n)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// fill reads on if no value waits, and returns how many do.
func (c *chunk) fill() (int, error) {
	for len(c.waiting) == 0 {
		n, err := c.values.ReadValues(c.buffer)
		if n == 0 && err != nil {
			return 0, errors.Join(err, io.ErrUnexpectedEOF)
		}
		c.waiting = c.buffer[:n]
	}
	return len(c.waiting), nil
}

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
