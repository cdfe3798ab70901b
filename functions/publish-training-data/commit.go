package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/objectstore"
)

// commit writes the manifest, once. One that is there already must belong to an attempt of ours that lost its answer.
// Then it has the same content, because a run's steps give the same bytes each time.
func (h Handler) commit(ctx context.Context, manifest lake.Manifest) error {
	content, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("encoding the manifest: %w", err)
	}
	key := lake.ManifestKey(manifest.Snapshot)
	_, err = h.Lake.Put(ctx, key, bytes.NewReader(content), objectstore.IfAbsent())
	if !errors.Is(err, objectstore.ErrPrecondition) {
		return err
	}
	found, _, err := h.Lake.Get(ctx, key, maxManifest)
	if err != nil {
		return err
	}
	if !bytes.Equal(found, content) {
		return failure.Invalidf("run %s: %s exists with another content: a run's name is used once", manifest.Snapshot, h.Lake.URI(key))
	}
	return nil
}

// point makes the pointer name this snapshot, unless it names a newer one. It returns the pointer's content. A change
// of the pointer between our reading and our writing makes the write fail, and we look again. S3 may also answer 409
// to two writers at once: that is ObjectStoreUnavailable, and the state machine tries again.
func (h Handler) point(ctx context.Context, manifest lake.Manifest) (lake.Latest, error) {
	ours := lake.Latest{
		Snapshot: manifest.Snapshot, StartedAt: manifest.StartedAt,
		Location: h.Lake.URI(lake.SnapshotPrefix(manifest.Snapshot)),
		Source:   manifest.Source, Rows: manifest.Rows, Customers: manifest.Customers, Products: manifest.Products,
		Shop: manifest.Shape().Hash, Layout: layoutOf(manifest),
	}
	for {
		latest, etag, err := h.latest(ctx)
		condition := objectstore.IfMatch(etag)
		switch {
		case errors.Is(err, objectstore.ErrNotFound):
			condition = objectstore.IfAbsent()
		case err != nil:
			return latest, err
		case !newer(ours, latest):
			return latest, nil
		}
		_, err = h.Lake.PutJSON(ctx, lake.LatestKey, ours, condition)
		if !errors.Is(err, objectstore.ErrPrecondition) {
			return ours, err
		}
	}
}

// layoutOf returns the layout for the pointer, which leaves the first one of all out.
func layoutOf(manifest lake.Manifest) shape.Layout {
	if layout := manifest.Shape().Layout; layout != shape.ByCustomer {
		return layout
	}
	return ""
}

// newer orders runs by their start, and those of one moment by name, so that any two agree on the order. A start in the
// future is the oldest, because the clock was wrong that gave it: the next run takes its place.
func newer(a, b lake.Latest) bool {
	if late := workflow.Ahead(b.StartedAt); late != workflow.Ahead(a.StartedAt) {
		return late
	}
	if a.StartedAt.Equal(b.StartedAt) {
		return a.Snapshot > b.Snapshot
	}
	return a.StartedAt.After(b.StartedAt)
}

func (h Handler) latest(ctx context.Context) (latest lake.Latest, etag string, err error) {
	object, err := h.Lake.GetJSON(ctx, lake.LatestKey, lake.MaxLatest, &latest)
	return latest, object.ETag, err
}
