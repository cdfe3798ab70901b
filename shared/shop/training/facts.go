package training

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
)

// Facts are the counts of a range. They are metadata of its file: with the rows in one object, neither can be of another
// attempt than the other.
type Facts struct {
	Rejected map[Reason]int64 // rows in quarantine
	Skipped  map[Reason]int64
	Kinds    map[string]int64 // rows by type
	Newest   int64            // the newest row's time, in Unix milliseconds, 0 without times
}

// The names of the metadata. A file of the lab's shop has the first alone.
const (
	rejectedKey = "rejected"
	skippedKey  = "skipped"
	kindsKey    = "kinds"
	newestKey   = "newest"
)

// NewFacts returns Facts that count nothing yet.
func NewFacts() Facts {
	return Facts{Rejected: map[Reason]int64{}, Skipped: map[Reason]int64{}, Kinds: map[string]int64{}}
}

// described is a file that takes metadata while it is written.
type described interface{ describe(key, value string) }

func (w *RowWriter) describe(key, value string) { w.file.SetKeyValueMetadata(key, value) }
func (w *Writer[T]) describe(key, value string) { w.file.SetKeyValueMetadata(key, value) }

// SetRejected puts the rejected rows' counts into a range's file.
func SetRejected(rows described, reasons map[Reason]int64) error {
	return describe(rows, rejectedKey, reasons)
}

// SetFacts puts a range's facts into its file.
func (w *RowWriter) SetFacts(shop shape.Shop, facts Facts) error {
	if err := SetRejected(w, facts.Rejected); err != nil || shop.IsLab() {
		return err
	}
	if err := describe(w, skippedKey, facts.Skipped); err != nil {
		return err
	}
	if err := describe(w, kindsKey, facts.Kinds); err != nil {
		return err
	}
	return describe(w, newestKey, facts.Newest)
}

func describe(rows described, key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding a range's %s: %w", key, err)
	}
	rows.describe(key, string(text))
	return nil
}

// ReadFacts reads a range's facts from its file. The rows of the lab's shop are ratings.
func ReadFacts(file *parquet.File) (Facts, error) {
	facts := NewFacts()
	if _, ok := file.Lookup(rejectedKey); !ok {
		return facts, fmt.Errorf("a range's file without the metadata %q", rejectedKey)
	}
	if _, ok := file.Lookup(kindsKey); !ok && file.NumRows() > 0 {
		facts.Kinds[shape.Rating] = file.NumRows()
	}
	for key, value := range map[string]any{
		rejectedKey: &facts.Rejected, skippedKey: &facts.Skipped, kindsKey: &facts.Kinds, newestKey: &facts.Newest,
	} {
		text, ok := file.Lookup(key)
		if !ok {
			continue
		}
		if err := json.Unmarshal([]byte(text), value); err != nil {
			return facts, fmt.Errorf("a range's metadata %q: %w", key, err)
		}
	}
	return facts, nil
}

// NewestTime returns the newest row's time, or nil without times.
func (f Facts) NewestTime() *time.Time {
	if f.Newest == 0 {
		return nil
	}
	at := time.UnixMilli(f.Newest).UTC()
	return &at
}
