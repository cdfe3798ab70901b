package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/failure"
	"recsys/shared/lake"
	"recsys/shared/model"
	"recsys/shared/objectstore"
	"recsys/shared/vectorstore"
)

// load reads the version's copies as streams into its tables. Whatever is wrong with the files is reported at
// once, as InvalidEmbeddings: bad lines of both, and a model that nobody could use.
func load(ctx context.Context, store *objectstore.Store, db *pgxpool.Pool, version int64, hasModel bool,
	popularity vectorstore.Popularity) (loaded vectorstore.Record, err error) {
	var wrong faults
	items := &embeddings[string]{file: lake.ItemEmbeddingsKey, parseID: itemID, faults: &wrong}
	users := &embeddings[int32]{file: lake.UserEmbeddingsKey, parseID: userID, faults: &wrong}
	items.open, users.open = opener(ctx, store, version, items.file), opener(ctx, store, version, users.file)
	defer items.Close()
	defer users.Close()

	items.peek()
	if items.failed != nil {
		return loaded, items.failed
	}
	users.dimension = items.dimension
	if hasModel && items.dimension > 0 {
		if err := checkModel(ctx, store, version, items.dimension); isInvalid(err) {
			wrong.unusable = err
		} else if err != nil {
			return loaded, err
		}
	}
	if wrong.err() == nil {
		loaded, err = vectorstore.Load{
			Version: version, Dimension: items.dimension, Items: items, Users: users, Popularity: popularity,
		}.Run(ctx, db)
		if !isInvalid(err) {
			return loaded, err
		}
	}
	for items.Next() {
	}
	for users.Next() {
	}
	if items.failed != nil {
		return loaded, items.failed
	}
	return loaded, users.Err()
}

func opener(ctx context.Context, store *objectstore.Store, version int64, artifact string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		body, _, err := store.Open(ctx, lake.VersionKey(version, artifact))
		return body, err
	}
}

// checkModel reads the model as recommend will, and lets none become active that it cannot use.
func checkModel(ctx context.Context, store *objectstore.Store, version int64, dimension int) error {
	var files model.Files
	for _, artifact := range []struct {
		key   string
		limit int64
		into  *[]byte
	}{
		{lake.ModelKey, model.MaxModelBytes, &files.Model},
		{lake.UserOneHotKey, model.MaxScalerBytes, &files.UserOneHot},
		{lake.UserScalerKey, model.MaxScalerBytes, &files.UserScaler},
	} {
		object, err := store.Head(ctx, lake.VersionKey(version, artifact.key))
		if err != nil {
			return err
		}
		if object.Size > artifact.limit {
			return failure.InvalidEmbeddings{Err: fmt.Errorf("%s has %d bytes, the limit is %d", artifact.key, object.Size, artifact.limit)}
		}
		if *artifact.into, _, err = store.Get(ctx, object.Key, artifact.limit); err != nil {
			return err
		}
	}
	m, err := model.Read(files)
	if err != nil {
		return failure.InvalidEmbeddings{Err: fmt.Errorf("the model cannot be used: %w", err)}
	}
	if m.Dimension() != dimension {
		return failure.InvalidEmbeddings{Err: fmt.Errorf("%s gives embeddings of dimension %d, those of %s have %d",
			lake.ModelKey, m.Dimension(), lake.ItemEmbeddingsKey, dimension)}
	}
	return nil
}

func isInvalid(err error) bool { return errors.As(err, new(failure.InvalidEmbeddings)) }
