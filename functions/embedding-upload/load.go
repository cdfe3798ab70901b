package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/embeddings"
	"recsys/shared/learn/model"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// load reads the version's copies as streams into its tables. All faults of the files are reported at once, as
// InvalidEmbeddings: bad lines of both, and a model that nobody could use.
func load(ctx context.Context, db *pgxpool.Pool, copies copies, of handOver, metric distance.Metric, against *comparison, snapshot vectorstore.Snapshot) (loaded vectorstore.Record, err error) {
	var wrong embeddings.Faults
	against.faults = &wrong
	items := &items{Reader: embeddings.Items(lake.ItemEmbeddingsKey, opener(ctx, copies, lake.ItemEmbeddingsKey), &wrong),
		comparison: against, spelled: map[string]string{}}
	users := &users{Reader: embeddings.Users(lake.UserEmbeddingsKey, against.of.Customer.Type, opener(ctx, copies, lake.UserEmbeddingsKey), &wrong), comparison: against}
	defer items.Close()
	defer users.Close()

	if err := items.Peek(); err != nil {
		return loaded, err
	}
	users.Dimension = items.Dimension
	if of.hasModel() && items.Dimension > 0 {
		read, err := readModel(ctx, copies, model.KindOf(of.isTrained(), of.has(lake.SafetensorsKey)), items.Dimension)
		if isInvalid(err) {
			wrong.Unusable = err
		} else if err != nil {
			return loaded, err
		}
		against.compareWith(read)
	}
	neighbours, err := readNeighbours(ctx, copies, of)
	if isInvalid(err) {
		wrong.Unusable = err
	} else if err != nil {
		return loaded, err
	}
	if wrong.Err() == nil {
		loaded, err = fill(ctx, db, copies, of, metric, items, users, neighbours, snapshot)
		if !isInvalid(err) {
			return loaded, err
		}
	}
	if err := items.ReadRest(); err != nil {
		return loaded, err
	}
	if err := users.ReadRest(); err != nil {
		return loaded, err
	}
	return loaded, wrong.Err()
}

// fill writes the version's catalogue and then its tables.
func fill(ctx context.Context, db *pgxpool.Pool, copies copies, of handOver, metric distance.Metric, items *items, users *users, neighbours *vectorstore.Neighbours, snapshot vectorstore.Snapshot) (loaded vectorstore.Record, err error) {
	scratch, err := objectstore.Scratch()
	if err != nil {
		return loaded, err
	}
	defer scratch.Close()
	catalogue, err := writeCatalogue(ctx, copies, metric, items, scratch)
	if err != nil {
		return loaded, err
	}
	return vectorstore.Load{
		Version: copies.version, Artifacts: of.etags(), Dimension: items.Dimension,
		Items: catalogue, Users: users, Snapshot: snapshot, Compared: items.result,
		Neighbours: neighbours, Catalogue: catalogue.sum,
	}.Run(ctx, db)
}

func opener(ctx context.Context, copies copies, key string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		body, _, err := copies.open(ctx, key)
		return body, err
	}
}

// readModel reads the model as recommend will, and lets none become active that it cannot use.
func readModel(ctx context.Context, copies copies, kind model.Kind, dimension int) (*model.Model, error) {
	var files model.Files
	for _, file := range files.List(kind) {
		body, object, err := copies.open(ctx, file.Key)
		if err != nil {
			return nil, err
		}
		defer body.Close()
		if object.Size > file.Limit {
			return nil, failure.InvalidEmbeddings.Errorf("%s has %d bytes, the limit is %d", file.Key, object.Size, file.Limit)
		}
		if *file.Into, err = io.ReadAll(io.LimitReader(body, file.Limit)); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file.Key, err)
		}
	}
	m, err := model.Read(files)
	if err != nil {
		return nil, failure.InvalidEmbeddings.Errorf("the model cannot be used: %w", err)
	}
	if m.Dimension() != dimension {
		return nil, failure.InvalidEmbeddings.Errorf("the model gives embeddings of dimension %d, those of %s have %d",
			m.Dimension(), lake.ItemEmbeddingsKey, dimension)
	}
	return m, nil
}

func isInvalid(err error) bool { return errors.Is(err, failure.InvalidEmbeddings) }
