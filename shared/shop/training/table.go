package training

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/store/objectstore"
)

// Table is a Parquet object of the lake, downloaded to a scratch file and read row by row.
type Table[T any] struct {
	*Scanner[T]
	File    *parquet.File
	scratch *os.File
}

// OpenTable downloads an object. T may name fewer columns than it has.
func OpenTable[T any](ctx context.Context, store *objectstore.Store, key string) (*Table[T], error) {
	scratch, _, err := store.Download(ctx, key)
	if err != nil {
		return nil, err
	}
	file, err := Open(scratch)
	if err != nil {
		scratch.Close()
		return nil, fmt.Errorf("%s: %w", store.URI(key), err)
	}
	return &Table[T]{NewScanner[T](file), file, scratch}, nil
}

// Close frees the buffers and the scratch file.
func (t *Table[T]) Close() error {
	err := t.Scanner.Close()
	if closing := t.scratch.Close(); err == nil {
		err = closing
	}
	return err
}

// rejectedKey is the metadata of a range's file that counts its rejected rows by reason: with the rows in one
// object, neither can be of another attempt than the other.
const rejectedKey = "rejected"

// SetRejected puts the rejected rows' counts into a range's file.
func SetRejected(rows *Writer[Row], reasons map[Reason]int64) error {
	counts, err := json.Marshal(reasons)
	if err != nil {
		return fmt.Errorf("encoding the rejected rows' counts: %w", err)
	}
	rows.file.SetKeyValueMetadata(rejectedKey, string(counts))
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
