package answers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// catalogue is a version's items in memory, with all that ranks them. Items go by their place in ids.
type catalogue struct {
	metric     distance.Metric
	dimension  int
	ids        []string
	places     map[string]int32 // by id
	vectors    []float32        // dimension numbers an item
	neighbours *neighbours.Table
	scorer     *blend.Scorer
	shelf      atomic.Pointer[shelf] // nil until a batch has read it
	idle       sync.Pool             // searchers
}

// shelf is the shop's facts about the items of a catalogue, by their places. They change with each snapshot.
type shelf struct {
	snapshot      string
	soldOut, gone []bool
	lines         []string
}

func (c *catalogue) newShelf(snapshot string) *shelf {
	return &shelf{snapshot, make([]bool, len(c.ids)), make([]bool, len(c.ids)), make([]string, len(c.ids))}
}

// vector returns the vector of an item. It must not be changed.
func (c *catalogue) vector(place int32) []float32 {
	return c.vectors[int(place)*c.dimension:][:c.dimension:c.dimension]
}

// distance returns the distance of an item from a vector, as the vector database measures it. score is the item's by the vector.
func (c *catalogue) distance(from []float32, place int32, score float32) float64 {
	switch c.metric {
	case distance.Cosine:
		return 1 - float64(score)
	case distance.L2: // the score only ranks
		sum := 0.0
		for k, number := range c.vector(place) {
			difference := float64(number) - float64(from[k])
			sum += difference * difference
		}
		return math.Sqrt(sum)
	default:
		return -float64(score)
	}
}

// catalogues keeps the catalogues of the last two versions.
type catalogues struct {
	artifacts *objectstore.Store
	upTo      int64               // products × dimension
	kept      lastTwo[*catalogue] // nil: the version has none that can be used
}

// read returns the catalogue of a version, or nil if the vector database is to search. That is a version of an earlier release,
// one that is too large, and one whose files are missing, damaged or S3's secret for the moment.
func (c *catalogues) read(ctx context.Context, v vectorstore.ActiveVersion) *catalogue {
	if v.Catalogue == "" || v.ItemCount*int64(v.Dimension) > c.upTo {
		return nil
	}
	const instead = "the vector database searches this version, because its catalogue is not in memory"
	read, err := c.kept.of(ctx, v.Version, func(ctx context.Context) (*catalogue, error) {
		read, err := c.download(ctx, v)
		var refused *blend.RefusedFile
		if errors.As(err, &refused) || errors.Is(err, objectstore.ErrNotFound) {
			slog.ErrorContext(ctx, instead, "version", v.Version, "error", err)
			return nil, nil
		}
		return read, err
	})
	if err != nil {
		slog.WarnContext(ctx, instead, "version", v.Version, "error", err)
		return nil
	}
	return read
}

func (c *catalogues) download(ctx context.Context, v vectorstore.ActiveVersion) (*catalogue, error) {
	m, err := c.readItems(ctx, v)
	if err == nil && v.BlendKind != "" {
		err = c.addNeighbours(ctx, v, &m)
	}
	if err != nil {
		return nil, err
	}
	scorer, err := blend.NewScorer(m)
	if err != nil {
		return nil, &blend.RefusedFile{Reason: err.Error()}
	}
	read := &catalogue{metric: m.Metric, dimension: m.Dimension, ids: m.Items, places: make(map[string]int32, len(m.Items)),
		vectors: m.Vectors, neighbours: m.Neighbours, scorer: scorer}
	for place, id := range m.Items {
		read.places[id] = int32(place)
	}
	return read, nil
}

func (c *catalogues) readItems(ctx context.Context, v vectorstore.ActiveVersion) (blend.Model, error) {
	body, _, err := c.artifacts.Open(ctx, lake.VersionKey(v.Version, lake.CatalogueKey))
	if err != nil {
		return blend.Model{}, err
	}
	defer body.Close()
	m, sum, err := blend.ReadCatalogue(body)
	if err == nil && (sum != v.Catalogue || m.Metric != v.Metric || m.Dimension != v.Dimension || int64(len(m.Items)) != v.ItemCount) {
		err = &blend.RefusedFile{Reason: fmt.Sprintf("it has %d items by %s of dimension %d and the sum %s, the version has %d by %s of dimension %d and the sum %s",
			len(m.Items), m.Metric, m.Dimension, sum, v.ItemCount, v.Metric, v.Dimension, v.Catalogue)}
	}
	return m, err
}

func (c *catalogues) addNeighbours(ctx context.Context, v vectorstore.ActiveVersion, m *blend.Model) error {
	body, _, err := c.artifacts.Open(ctx, lake.VersionKey(v.Version, lake.NeighboursKey))
	if err != nil {
		return err
	}
	defer body.Close()
	read, err := blend.ReadNeighbours(body)
	if err != nil {
		return err
	}
	m.Neighbours, m.Beta = read.For(m.Items), v.BlendBeta
	return nil
}
