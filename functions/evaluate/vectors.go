package main

import (
	"context"
	"io"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/embeddings"
	"recsys/shared/learn/evaluation"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/vectorstore"
)

// scorer reads the vectors that measure a version: those that a training learned without the held-out ratings, or
// else the handed-over ones.
func (h *Handler) scorer(ctx context.Context, version vectorstore.Record, snapshot *interactions.Snapshot) (evaluation.Scorer, error) {
	itemsKey, usersKey := lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey
	if version.Origin == vectorstore.Trained {
		itemsKey, usersKey = lake.EvaluationItemsKey, lake.EvaluationUsersKey
	}
	var wrong embeddings.Faults
	items := embeddings.Items(itemsKey, h.opener(ctx, version.Version, itemsKey), &wrong)
	users := embeddings.Users(usersKey, snapshot.Shop.Customer.Type, h.opener(ctx, version.Version, usersKey), &wrong)
	items.Dimension, users.Dimension = version.Dimension, version.Dimension
	defer items.Close()
	defer users.Close()
	itemVectors, err := byPlace(items, snapshot.Items, spelling(snapshot))
	if err != nil {
		return nil, err
	}
	userVectors, err := byPlace(users, snapshot.Customers, func(id string) string { return id })
	if err != nil {
		return nil, err
	}
	return evaluation.NewEmbeddings(version.Metric, version.Dimension, userVectors, itemVectors)
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

// byPlace reads the vectors of these ids, as spelled in the snapshot, into their places, or nil. Others' are left
// out.
func byPlace(file *embeddings.Reader, ids []string, spelled func(string) string) ([][]float32, error) {
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	vectors := make([][]float32, len(ids))
	var block []float32 // many vectors lie in one piece of memory
	for file.Next() {
		id, vector := file.Row()
		at, wanted := place[spelled(id)]
		if !wanted {
			continue
		}
		if len(block) < len(vector) {
			block = make([]float32, blockSize*len(vector))
		}
		vectors[at], block = block[:len(vector):len(vector)], block[len(vector):]
		copy(vectors[at], vector)
	}
	if err := file.Err(); err != nil {
		return nil, err
	}
	return vectors, nil
}

// blockSize is how many vectors lie in one piece of memory.
const blockSize = 1024
