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
	"recsys/shared/vectorstore"
)

// load reads the version's copies as streams into its tables. Whatever is wrong with the files is reported at
// once, as InvalidEmbeddings: bad lines of both, and a model that nobody could use.
func load(ctx context.Context, db *pgxpool.Pool, copies copies, of handOver, snapshot vectorstore.Snapshot) (loaded vectorstore.Record, err error) {
	var wrong faults
	items := &embeddings[string]{file: lake.ItemEmbeddingsKey, parseID: itemID, faults: &wrong}
	users := &embeddings[int32]{file: lake.UserEmbeddingsKey, parseID: userID, faults: &wrong}
	items.open, users.open = opener(ctx, copies, items.file), opener(ctx, copies, users.file)
	defer items.Close()
	defer users.Close()

	items.peek()
	if items.failed != nil {
		return loaded, items.failed
	}
	users.dimension = items.dimension
	if of.hasModel() && items.dimension > 0 {
		if err := checkModel(ctx, copies, items.dimension); isInvalid(err) {
			wrong.unusable = err
		} else if err != nil {
			return loaded, err
		}
	}
	if wrong.err() == nil {
		loaded, err = vectorstore.Load{
			Version: copies.version, Artifacts: of.etags(), Dimension: items.dimension,
			Items: items, Users: users, Snapshot: snapshot,
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

func opener(ctx context.Context, copies copies, key string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		body, _, err := copies.open(ctx, key)
		return body, err
	}
}

// checkModel reads the model as recommend will, and lets none become active that it cannot use.
func checkModel(ctx context.Context, copies copies, dimension int) error {
	var files model.Files
	for _, file := range files.List() {
		body, object, err := copies.open(ctx, file.Key)
		if err != nil {
			return err
		}
		defer body.Close()
		if object.Size > file.Limit {
			return failure.InvalidEmbeddings{Err: fmt.Errorf("%s has %d bytes, the limit is %d", file.Key, object.Size, file.Limit)}
		}
		if *file.Into, err = io.ReadAll(io.LimitReader(body, file.Limit)); err != nil {
			return fmt.Errorf("reading %s: %w", file.Key, err)
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
