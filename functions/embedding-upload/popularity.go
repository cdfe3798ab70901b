package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// maxText bounds a country and an item's code, in bytes: PostgreSQL indexes no row much longer.
const maxText = 1024

// itemCounts streams the popularity of a snapshot, and is a pgx.CopyFromSource of (country, item, count).
type itemCounts struct {
	latest lake.Latest
	open   func() (io.ReadCloser, error) // called when the first row is wanted
	warn   func(skipped int)             // called at the end, where rows were left out

	body    io.ReadCloser
	decoder *json.Decoder
	current lake.ItemCount
	row     [3]any
	skipped int
	done    bool
	err     error
}

// countsOf is the popularity of a snapshot, or nil if it has none.
func countsOf(ctx context.Context, store *objectstore.Store, latest lake.Latest) (*itemCounts, error) {
	key := lake.PopularityKey(latest.Snapshot)
	if _, err := store.Head(ctx, key); errors.Is(err, objectstore.ErrNotFound) {
		slog.WarnContext(ctx, "the snapshot has no popularity", "snapshot", latest.Snapshot)
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &itemCounts{
		latest: latest,
		open: func() (io.ReadCloser, error) {
			body, _, err := store.Open(ctx, key)
			return body, err
		},
		warn: func(skipped int) {
			slog.WarnContext(ctx, "counts that the database cannot hold are left out", "snapshot", latest.Snapshot, "skipped", skipped)
		},
	}, nil
}

func (c *itemCounts) Next() bool {
	if c.err == nil && c.decoder == nil {
		c.err = c.start()
	}
	if c.err != nil || c.done {
		return false
	}
	for c.decoder.More() {
		c.current = lake.ItemCount{}
		if c.err = c.decoder.Decode(&c.current); c.err != nil {
			return false
		}
		if storable(c.current.Group) && storable(c.current.Item) {
			return true
		}
		c.skipped++
	}
	_, c.err = c.decoder.Token() // the list's end, or why there is none
	c.done = true
	if c.skipped > 0 {
		c.warn(c.skipped)
	}
	return false
}

// storable is false of texts that PostgreSQL refuses: one bad text must not keep the embeddings away.
func storable(text string) bool { return len(text) <= maxText && !strings.ContainsRune(text, 0) }

func (c *itemCounts) Values() ([]any, error) {
	c.row = [3]any{vectorstore.CountryKey(c.current.Group), c.current.Item, c.current.Count}
	return c.row[:], nil
}

func (c *itemCounts) Err() error {
	if c.err == nil {
		return nil
	}
	return fmt.Errorf("reading the popularity of snapshot %s: %w", c.latest.Snapshot, c.err)
}

// Close ends the reading. Nil may be closed.
func (c *itemCounts) Close() error {
	if c == nil || c.body == nil {
		return nil
	}
	return c.body.Close()
}

// start opens the object and goes to the first element of its key "items".
func (c *itemCounts) start() (err error) {
	if c.body, err = c.open(); err != nil {
		return err
	}
	c.decoder = json.NewDecoder(c.body)
	if _, err := c.decoder.Token(); err != nil {
		return err
	}
	for c.decoder.More() {
		key, err := c.decoder.Token()
		if err != nil {
			return err
		}
		if key == "items" {
			_, err = c.decoder.Token()
			return err
		}
		if err := c.decoder.Decode(new(json.RawMessage)); err != nil {
			return err
		}
	}
	return io.ErrUnexpectedEOF
}
