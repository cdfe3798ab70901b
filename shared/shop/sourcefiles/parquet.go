package sourcefiles

import (
	"context"
	"errors"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"recsys/shared/store/objectstore"
)

// parquetFile is a Parquet file. Its columns are the leaves of the schema. Lists are left out.
type parquetFile struct {
	scratch *os.File
	reader  *parquet.GenericReader[any]
	paths   []string
	texts   []func(parquet.Value) string // by column, nil for those of lists
	rows    []parquet.Row
	at      int
	end     error
	cells   []string
}

func openParquet(ctx context.Context, store *objectstore.Store, object objectstore.Object) (table, error) {
	scratch, found, err := store.Download(ctx, object.Key)
	if err != nil {
		return nil, err
	}
	if found.ETag != object.ETag {
		scratch.Close()
		return nil, changed(store, object)
	}
	file, err := parquet.OpenFile(scratch, object.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		scratch.Close()
		return nil, badf("opening a Parquet file: %w", err)
	}
	f := &parquetFile{scratch: scratch, reader: parquet.NewGenericReader[any](file, file.Schema()), rows: make([]parquet.Row, 0, 256)}
	for _, path := range file.Schema().Columns() {
		leaf, _ := file.Schema().Lookup(path...)
		f.paths = append(f.paths, strings.Join(path, "."))
		f.texts = append(f.texts, nil)
		if leaf.MaxRepetitionLevel == 0 {
			f.texts[len(f.texts)-1] = textFor(leaf.Node.Type())
		}
	}
	f.cells = make([]string, len(f.paths))
	return f, nil
}

func (f *parquetFile) names() []string { return f.paths }

func (f *parquetFile) next() ([]string, error) {
	for f.at == len(f.rows) {
		if f.end != nil {
			return nil, f.end
		}
		n, err := f.reader.ReadRows(f.rows[:cap(f.rows)])
		f.rows, f.at, f.end = f.rows[:n], 0, err
	}
	clear(f.cells)
	for _, value := range f.rows[f.at] {
		if text := f.texts[value.Column()]; text != nil && !value.IsNull() {
			f.cells[value.Column()] = text(value)
		}
	}
	f.at++
	return f.cells, nil
}

func (f *parquetFile) Close() error { return errors.Join(f.reader.Close(), f.scratch.Close()) }

// textFor returns how values of a type become text.
func textFor(t parquet.Type) func(parquet.Value) string {
	logical := t.LogicalType()
	if logical != nil {
		switch of := logical.Value.(type) {
		case *format.DecimalType:
			return func(v parquet.Value) string { return decimalText(v, int(of.Scale)) }
		case *format.DateType:
			return func(v parquet.Value) string { return time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly) }
		case *format.TimestampType:
			return timestampText(of)
		}
	}
	switch t.Kind() {
	case parquet.Int96:
		return func(v parquet.Value) string { return sparkTime(v.Int96()).Format(rawTime) + "Z" }
	case parquet.Float:
		return func(v parquet.Value) string { return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32) }
	case parquet.Double:
		return func(v parquet.Value) string { return strconv.FormatFloat(v.Double(), 'g', -1, 64) }
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return func(v parquet.Value) string { return string(v.ByteArray()) }
	default:
		return parquet.Value.String
	}
}

// timestampText returns a time with Z if the file says that it is UTC, and without if it is of the shop's own zone.
func timestampText(of *format.TimestampType) func(parquet.Value) string {
	suffix := ""
	if of.IsAdjustedToUTC {
		suffix = "Z"
	}
	unit := time.Millisecond
	switch of.Unit.Value.(type) {
	case *format.MicroSeconds:
		unit = time.Microsecond
	case *format.NanoSeconds:
		unit = time.Nanosecond
	}
	perSecond := int64(time.Second / unit)
	return func(v parquet.Value) string {
		seconds, rest := v.Int64()/perSecond, v.Int64()%perSecond
		return time.Unix(seconds, rest*int64(unit)).UTC().Format("2006-01-02 15:04:05.999999999") + suffix
	}
}

// sparkTime reads the time of Spark's and Hive's older files: nanoseconds of the day, then the Julian day.
func sparkTime(v deprecated.Int96) time.Time {
	const epoch = 2440588 // the Julian day of 1970-01-01
	return time.Unix((int64(v[2])-epoch)*86400, int64(v[1])<<32|int64(v[0])).UTC()
}

// decimalText returns a decimal with its point.
func decimalText(v parquet.Value, scale int) string {
	number := new(big.Int)
	switch v.Kind() {
	case parquet.Int32:
		number.SetInt64(int64(v.Int32()))
	case parquet.Int64:
		number.SetInt64(v.Int64())
	default:
		bytes := v.ByteArray()
		number.SetBytes(bytes)
		if len(bytes) > 0 && bytes[0]&0x80 != 0 {
			number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(8*len(bytes))))
		}
	}
	if scale == 0 {
		return number.String()
	}
	digits := new(big.Int).Abs(number).String()
	digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
	text := digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	if number.Sign() < 0 {
		return "-" + text
	}
	return text
}
