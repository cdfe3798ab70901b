package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"recsys/shared/failure"
	"recsys/shared/lake"
	"recsys/shared/objectstore"
)

// HandOverUnderway: the artifacts changed while they were looked at. Transient: tried again when the hand-over
// is over, the run takes the new ones.
type HandOverUnderway struct{ Err error }

func (e HandOverUnderway) Error() string { return e.Err.Error() }
func (e HandOverUnderway) Unwrap() error { return e.Err }

// handOver is what the data scientist left: key → object.
type handOver map[string]objectstore.Object

// look finds the artifacts, or nil before there are any. What is missing is InvalidEmbeddings; an artifact
// that is newer than _SUCCESS, which is written last, is HandOverUnderway.
func look(ctx context.Context, store *objectstore.Store) (handOver, error) {
	success, err := store.Head(ctx, lake.SuccessKey)
	if errors.Is(err, objectstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := handOver{}
	for _, key := range slices.Concat(lake.RequiredArtifacts, lake.ModelArtifacts, lake.OptionalArtifacts) {
		object, err := store.Head(ctx, key)
		if errors.Is(err, objectstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[key] = object
	}
	if err := found.whole(); err != nil {
		return nil, err
	}
	return found, found.settled(success.Modified)
}

// whole checks that nothing is missing of what comes together.
func (h handOver) whole() error {
	wanted := lake.RequiredArtifacts
	if slices.ContainsFunc(lake.ModelArtifacts, h.has) {
		wanted = slices.Concat(wanted, lake.ModelArtifacts)
	}
	for _, key := range wanted {
		if !h.has(key) {
			return failure.InvalidEmbeddings{Err: fmt.Errorf("%s is missing, though %s is there; wanted together: %v", key, lake.SuccessKey, wanted)}
		}
	}
	return nil
}

func (h handOver) settled(success time.Time) error {
	for key, object := range h {
		if object.Modified.After(success) {
			return HandOverUnderway{fmt.Errorf("%s was written after %s: a hand-over is under way, or %[2]s was not written last", key, lake.SuccessKey)}
		}
	}
	return nil
}

func (h handOver) has(key string) bool { return h[key].Key != "" }

func (h handOver) hasModel() bool { return h.has(lake.ModelKey) }

// etags tell one hand-over from another.
func (h handOver) etags() map[string]string {
	etags := make(map[string]string, len(h))
	for key, object := range h {
		etags[key] = object.ETag
	}
	return etags
}

// copyTo copies all of it to the version, provided that none has changed.
func (h handOver) copyTo(ctx context.Context, store *objectstore.Store, version int64) error {
	copies, ctx := errgroup.WithContext(ctx)
	for key, object := range h {
		copies.Go(func() error {
			err := store.Copy(ctx, key, lake.VersionKey(version, key), object.ETag)
			if errors.Is(err, objectstore.ErrPrecondition) || errors.Is(err, objectstore.ErrNotFound) {
				return HandOverUnderway{fmt.Errorf("%s was handed over anew meanwhile: %w", key, err)}
			}
			return err
		})
	}
	return copies.Wait()
}
