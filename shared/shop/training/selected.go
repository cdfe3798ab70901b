package training

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/store/objectstore"
)

// Selected is some columns of a Parquet object, downloaded and read row by row. Rows pass as column values, because a string for
// each interaction would be most of the work.
type Selected struct {
	*Object
	file   *parquet.GenericReader[any]
	places []int // of the names in a row of the file, -1 for a column that it lacks
	rows   []parquet.Row
	row    []parquet.Value
	next   int
	end    error
}

// OpenSelected downloads an object, to read the columns of these names, whatever types they have.
func OpenSelected(ctx context.Context, store *objectstore.Store, key string, names ...string) (*Selected, error) {
	object, err := OpenFile(ctx, store, key)
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
	schema := parquet.NewSchema("Selected", wanted)
	s := &Selected{Object: object, file: parquet.NewGenericReader[any](object.File, schema),
		rows: make([]parquet.Row, 0, batch), row: make([]parquet.Value, len(names))}
	for _, name := range names {
		place := -1
		if leaf, found := schema.Lookup(name); found {
			place = leaf.ColumnIndex
		}
		s.places = append(s.places, place)
	}
	return s, nil
}

// Next returns the next row's values in the order of the names, NULL for a column that the file lacks, or io.EOF. They are valid
// until the next call.
func (s *Selected) Next() ([]parquet.Value, error) {
	for s.next == len(s.rows) {
		if s.end != nil {
			return nil, s.end
		}
		n, err := s.file.ReadRows(s.rows[:cap(s.rows)])
		s.rows, s.next, s.end = s.rows[:n], 0, err
		if err != nil && !errors.Is(err, io.EOF) {
			s.end = fmt.Errorf("reading Parquet rows: %w", err)
		}
	}
	for i, place := range s.places {
		s.row[i] = parquet.NullValue()
		if place >= 0 {
			s.row[i] = s.rows[s.next][place]
		}
	}
	s.next++
	return s.row, nil
}

// Close frees the buffers and the scratch file.
func (s *Selected) Close() error { return errors.Join(s.file.Close(), s.Object.Close()) }
