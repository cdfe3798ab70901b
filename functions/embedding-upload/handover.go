package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
)

// handOver is the artifacts to load, wherever they lie: by their keys of package lake.
type handOver map[string]objectstore.Object

// trained finds the artifacts of the run's training. It is whole: train has ended before its prefix travels.
func trained(ctx context.Context, store *objectstore.Store, prefix string) (handOver, error) {
	found := handOver{}
	if err := found.add(ctx, store, prefix, lake.TrainedArtifacts); err != nil {
		return nil, err
	}
	var how lake.Training
	if _, err := store.GetJSON(ctx, prefix+lake.TrainingKey, lake.MaxTraining, &how); err != nil || how.Neighbours == nil {
		return found, err
	}
	return found, found.add(ctx, store, prefix, lake.NeighbourArtifacts)
}

// add adds artifacts of a training, which must be there.
func (h handOver) add(ctx context.Context, store *objectstore.Store, prefix string, keys []string) error {
	for _, key := range keys {
		object, err := store.Head(ctx, prefix+key)
		if errors.Is(err, objectstore.ErrNotFound) {
			return failure.Invalidf("%s is not there: want the artifacts that train has made in this run", store.URI(prefix+key))
		}
		if err != nil {
			return err
		}
		h[key] = object
	}
	return nil
}

// look finds the artifacts, or says by a status of workflow.Uploaded why there is nothing to load. A missing file is
// InvalidEmbeddings.
func look(ctx context.Context, store *objectstore.Store) (found handOver, nothing string, err error) {
	success, err := store.Head(ctx, lake.SuccessKey)
	if errors.Is(err, objectstore.ErrNotFound) {
		return nil, "no-artifacts", nil
	}
	if err != nil {
		return nil, "", err
	}
	found = handOver{}
	for _, key := range lake.HandedOver {
		object, err := store.Head(ctx, key)
		if errors.Is(err, objectstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		found[key] = object
	}
	if key := found.newerThan(success.Modified); key != "" {
		slog.WarnContext(ctx, "a hand-over is under way, or "+lake.SuccessKey+" was not written last", "newer", key)
		return nil, "hand-over-underway", nil
	}
	return found, "", found.whole()
}

// whole checks that files that belong together are all there.
func (h handOver) whole() error {
	wanted := lake.RequiredArtifacts
	if h.has(lake.ModelKey) && h.has(lake.SafetensorsKey) {
		return failure.InvalidEmbeddings.Errorf("%s and %s are both there, and either may be the model: delete one", lake.ModelKey, lake.SafetensorsKey)
	}
	if slices.ContainsFunc(lake.ModelArtifacts, h.has) || h.has(lake.SafetensorsKey) {
		wanted = slices.Concat(wanted, lake.ModelArtifacts)
	}
	for _, key := range wanted {
		if !h.has(key) && !(key == lake.ModelKey && h.has(lake.SafetensorsKey)) {
			return failure.InvalidEmbeddings.Errorf("%s is missing, though %s is there. These belong together: %v", key, lake.SuccessKey, wanted)
		}
	}
	return nil
}

// newerThan is an artifact that was written after the last one should have been, or "".
func (h handOver) newerThan(success time.Time) string {
	for _, key := range slices.Sorted(maps.Keys(h)) {
		if h[key].Modified.After(success) {
			return key
		}
	}
	return ""
}

func (h handOver) has(key string) bool { return h[key].Key != "" }

// isTrained tells artifacts of train from handed-over ones.
func (h handOver) isTrained() bool { return h.has(lake.TrainingKey) }

func (h handOver) hasModel() bool {
	return h.has(lake.ModelKey) || h.has(lake.SafetensorsKey) || h.has(lake.LinearModelKey)
}

// etags tell one hand-over from another.
func (h handOver) etags() map[string]string {
	etags := make(map[string]string, len(h))
	for key, object := range h {
		etags[key] = object.ETag
	}
	return etags
}

// copyTo copies all of it to the version, provided that none has changed.
func (h handOver) copyTo(ctx context.Context, store *objectstore.Store, version int64) (copies, error) {
	made := copies{store, version, map[string]string{}}
	var mu sync.Mutex
	copying, ctx := errgroup.WithContext(ctx)
	for key, object := range h {
		copying.Go(func() error {
			etag, err := store.Copy(ctx, object.Key, lake.VersionKey(version, key), object.ETag)
			if errors.Is(err, objectstore.ErrPrecondition) || errors.Is(err, objectstore.ErrNotFound) {
				return failure.HandOverUnderway.Errorf("%s was written anew meanwhile: %w", object.Key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			made.etags[key] = etag
			return err
		})
	}
	return made, copying.Wait()
}

// copies are the artifacts of a version, as this attempt copied them.
type copies struct {
	store   *objectstore.Store
	version int64
	etags   map[string]string // by the original's key
}

// open streams a copy. If another attempt of the run has replaced the copy, the error is Overtaken.
func (c copies) open(ctx context.Context, key string) (io.ReadCloser, objectstore.Object, error) {
	body, object, err := c.store.Open(ctx, lake.VersionKey(c.version, key))
	if err == nil && object.ETag != c.etags[key] {
		body.Close()
		err = objectstore.ErrPrecondition
	}
	if errors.Is(err, objectstore.ErrPrecondition) || errors.Is(err, objectstore.ErrNotFound) {
		err = failure.Overtaken.Errorf("another attempt has replaced %s of version %d: %w", key, c.version, err)
	}
	return body, object, err
}
