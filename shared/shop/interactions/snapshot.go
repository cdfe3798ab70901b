// Package interactions reads a snapshot of training rows as matrices of customers by items, with the facts about both. It
// adds up the interactions of each pair, and holds some of them out.
//
// Promise: the same snapshot gives the same matrices. Their memory is about six bytes a pair and matrix. A customer's
// interactions, which lie together in the files, pass through memory once.
package interactions

import (
	"context"
	"errors"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/model"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Snapshot holds the interactions of one snapshot, and the facts about its customers and items.
type Snapshot struct {
	Name      string
	Shop      shape.Shop   // the shop that it was made of
	Customers []string     // ids of those who have an interaction, ascending: the rows of the matrices
	Users     *model.Table // their facts, by row
	Items     []string     // ids of all products, with interactions or not, ascending: the columns of the matrices
	Products  *model.Table // their facts, by column. Nothing is known of one that came while the snapshot was read
	Unsound   []string     // ids of products whose row was bad: in the shop, without columns
	Ages      []int32      // by column: days from the item's first interaction to the snapshot's newest, -1 if unknown. Nil without times

	Ratings *sparse.Matrix // all pairs, nil if they are not Wanted
	Parts   []Part         // of Wanted.HoldOuts, and then of Wanted.Validations
	Kinds   map[string]int64
}

// Part is a snapshot's pairs without the held-out ones, and the held-out ones.
type Part struct {
	Train, HeldOut *sparse.Matrix
	// Popularity adds up the weights of Train's interactions by item, as lake.Popularity does. Older ones have decayed.
	Popularity []float64
}

// Wanted says which matrices Read makes.
type Wanted struct {
	Ratings  bool           // Snapshot.Ratings
	HoldOuts []lake.HoldOut // a Part each
	// Validations part the training part of the first hold-out once more by time, each with its fraction.
	Validations []float64
}

// ShopItems returns the ids of all products of the shop, also of those whose row was bad.
func (s *Snapshot) ShopItems() *training.Codes {
	codes := training.NewCodes(len(s.Items) + len(s.Unsound))
	for _, id := range s.Items {
		codes.Add(id)
	}
	for _, id := range s.Unsound {
		codes.Add(id)
	}
	return codes
}

// maxManifest bounds a snapshot's manifest, in bytes.
const maxManifest = 512 << 20

// ErrNoSnapshot: no training data is published yet.
var ErrNoSnapshot = errors.New("no training data is published")

// Latest names the snapshot that readers see, or returns ErrNoSnapshot.
func Latest(ctx context.Context, store *objectstore.Store) (lake.Latest, error) {
	var latest lake.Latest
	_, err := store.GetJSON(ctx, lake.LatestKey, lake.MaxLatest, &latest)
	if errors.Is(err, objectstore.ErrNotFound) {
		return latest, ErrNoSnapshot
	}
	return latest, err
}

// ReadManifest reads the manifest of a snapshot. Errors are the store's. objectstore.ErrNotFound means that it is gone.
func ReadManifest(ctx context.Context, store *objectstore.Store, name string) (manifest lake.Manifest, err error) {
	_, err = store.GetJSON(ctx, lake.ManifestKey(name), maxManifest, &manifest)
	manifest.Snapshot, manifest.Partitions = name, nil
	return manifest, err
}

// Read reads a snapshot from the lake, range after range. Beside the result, a range's file is on the scratch disk, and
// a batch of rows and one customer's interactions are in memory. Errors are the store's. objectstore.ErrNotFound means
// that the snapshot is gone.
func Read(ctx context.Context, store *objectstore.Store, manifest lake.Manifest, wanted Wanted) (*Snapshot, error) {
	r := newReader(manifest, wanted)
	err := r.readProducts(ctx, store, lake.ProductsKey(manifest.Snapshot))
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) { // a snapshot of an earlier release has no list of products
		return nil, err
	}
	for i := range manifest.Ranges {
		if err := r.readRange(ctx, store, lake.RangeKey(manifest.Snapshot, i)); err != nil {
			return nil, err
		}
	}
	return r.finish()
}

// ReadShop reads the customers and the items as Read does, and keeps no pairs: they would fill most of the memory.
func ReadShop(ctx context.Context, store *objectstore.Store, name string) (*Snapshot, error) {
	manifest, err := ReadManifest(ctx, store, name)
	if err != nil {
		return nil, err
	}
	return Read(ctx, store, manifest, Wanted{})
}

// HeldOut is the hold-out rule for the snapshot's rows and columns, see sparse.HeldOut.
func (s *Snapshot) HeldOut(seed uint64, fraction float64) func(row, column int) bool {
	draws := make([]sparse.Draw, len(s.Customers))
	for row := range draws {
		draws[row] = sparse.DrawOf(seed, s.Customers[row])
	}
	return func(row, column int) bool { return draws[row].HeldOut(fraction, s.Items[column]) }
}
