package main

import (
	"context"
	"errors"
	"io"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/embeddings"
	"recsys/shared/learn/evaluation"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/vectorstore"
)

// scorer ranks as the version does when it answers. It reads what measures the version: vectors and neighbours that a
// training learned without the held-out ratings, or else the handed-over vectors.
func (m *measurement) scorer(ctx context.Context, of contender) (evaluation.Scorer, error) {
	itemsKey, usersKey := lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey
	if of.Origin == vectorstore.Trained {
		itemsKey, usersKey = lake.EvaluationItemsKey, lake.EvaluationUsersKey
	}
	var wrong embeddings.Faults
	items := embeddings.Items(itemsKey, m.handler.opener(ctx, of.Version, itemsKey), &wrong)
	users := embeddings.Users(usersKey, m.snapshot.Shop.Customer.Type, m.handler.opener(ctx, of.Version, usersKey), &wrong)
	items.Dimension, users.Dimension = of.Dimension, of.Dimension
	defer items.Close()
	defer users.Close()
	spelled := spelling(m.snapshot)
	model := blend.Model{Metric: of.Metric, Dimension: of.Dimension, Items: m.snapshot.Items}
	var err error
	if model.Vectors, err = itemVectors(items, m.snapshot.Items, spelled); err != nil {
		return nil, err
	}
	if err := m.addNeighbours(ctx, of, &model, spelled); err != nil {
		return nil, err
	}
	vectors, err := byPlace(users, m.snapshot.Customers)
	if err != nil {
		return nil, err
	}
	scorer, err := blend.NewScorer(model)
	return blend.Customers{Scorer: scorer, Vectors: vectors, History: m.Train}, err
}

// addNeighbours adds the item-item model that ranks next to the vectors, if the version has one.
func (m *measurement) addNeighbours(ctx context.Context, of contender, model *blend.Model, spelled func(string) string) error {
	if of.training.Neighbours == nil {
		return nil
	}
	body, err := m.handler.opener(ctx, of.Version, lake.EvaluationNeighboursKey)()
	if err != nil {
		return err
	}
	defer body.Close()
	read, err := blend.ReadNeighbours(body)
	var refused *blend.RefusedFile
	if errors.As(err, &refused) {
		return failure.InvalidEmbeddings.Errorf("%s: %w", lake.EvaluationNeighboursKey, err)
	}
	if err != nil {
		return err
	}
	for i, id := range read.Items {
		read.Items[i] = spelled(id)
	}
	model.Neighbours, model.Beta = read.For(model.Items), read.Beta
	return nil
}

// opener streams an artifact of a version.
func (h *Handler) opener(ctx context.Context, version int64, key string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		body, _, err := h.Artifacts.Open(ctx, lake.VersionKey(version, key))
		return body, err
	}
}

// spelling finds the snapshot's code for an item's id, as the load does. An id that fits none stays as it is.
func spelling(snapshot *interactions.Snapshot) func(id string) string {
	codes := snapshot.ShopItems()
	return func(id string) string {
		if code, reason := codes.Find(id); reason == "" {
			return code
		}
		return id
	}
}

// places returns the place of each id.
func places(ids []string) map[string]int {
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	return place
}

// itemVectors reads the vectors of these ids, as spelled in the snapshot, into one row each. An item that the file does not
// have has a row of zeros. Others' vectors are left out.
func itemVectors(file *embeddings.Reader, ids []string, spelled func(string) string) ([]float32, error) {
	place, vectors := places(ids), make([]float32, len(ids)*file.Dimension)
	for file.Next() {
		id, vector := file.Row()
		if at, wanted := place[spelled(id)]; wanted {
			copy(vectors[at*file.Dimension:], vector)
		}
	}
	return vectors, file.Err()
}

// byPlace reads the vectors of these ids into their places, or nil. Others' are left out.
func byPlace(file *embeddings.Reader, ids []string) ([][]float32, error) {
	place, vectors := places(ids), make([][]float32, len(ids))
	var block []float32 // many vectors lie in one piece of memory
	for file.Next() {
		id, vector := file.Row()
		at, wanted := place[id]
		if !wanted {
			continue
		}
		if len(block) < len(vector) {
			block = make([]float32, blockSize*len(vector))
		}
		vectors[at], block = block[:len(vector):len(vector)], block[len(vector):]
		copy(vectors[at], vector)
	}
	return vectors, file.Err()
}

// blockSize is how many vectors lie in one piece of memory.
const blockSize = 1024
