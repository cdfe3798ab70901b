package lake

import (
	"time"

	"recsys/shared/contract/shape"
)

// RangeReport is the report of partition-write on a range.
type RangeReport struct {
	Range      int              `json:"range"`
	Rows       int64            `json:"rows"`
	Rejected   map[string]int64 `json:"rejected"`   // by reason
	RatingType string           `json:"ratingType"` // a training.RatingType
	Partitions []Partition      `json:"partitions"`

	// Part is the object of the whole range, nil if each customer has one.
	Part    *Part            `json:"part,omitempty"`
	Newest  *time.Time       `json:"newest,omitempty"`
	Skipped map[string]int64 `json:"skipped,omitempty"` // by reason
	Kinds   map[string]int64 `json:"kinds,omitempty"`   // interactions by type
}

// Part is a range's object.
type Part struct {
	Range     int   `json:"range"`
	Customers int64 `json:"customers"`
	Rows      int64 `json:"rows"`
	Bytes     int64 `json:"bytes"`
}

// Partition is one customer's object.
type Partition struct {
	CustomerNumber int32 `json:"customerNumber"`
	Rows           int64 `json:"rows"`
	Bytes          int64 `json:"bytes"`
}

// Manifest lists a whole snapshot. It is written once, when all of its files are there.
type Manifest struct {
	Snapshot   string           `json:"snapshot"`
	StartedAt  time.Time        `json:"startedAt"` // of the run: orders snapshots
	Ranges     int              `json:"ranges"`
	Source     string           `json:"source"`          // its source, "" of an earlier release
	Rows       int64            `json:"rows"`            // training rows
	Customers  int64            `json:"customers"`       // with ratings
	Products   int64            `json:"products"`        // in the source, the bad ones too
	Rejected   map[string]int64 `json:"rejected"`        // by reason
	RatingType string           `json:"ratingType"`      // a training.RatingType, "" of an earlier release is whole
	Partitions []Partition      `json:"partitions"`      // ascending customerNumber
	Parts      []Part           `json:"parts,omitempty"` // in place of Partitions: ascending range

	Shop    *shape.Shop      `json:"shop,omitempty"`    // nil of an earlier release is the lab's
	Newest  *time.Time       `json:"newest,omitempty"`  // the time of the newest interaction, nil without times
	Skipped map[string]int64 `json:"skipped,omitempty"` // rows that are normal and are left out, by reason
	Kinds   map[string]int64 `json:"kinds,omitempty"`   // interactions by type
}

// Shape returns the shop that the snapshot was made of.
func (m Manifest) Shape() shape.Shop {
	if m.Shop != nil {
		return *m.Shop
	}
	if m.RatingType == "" {
		return shape.Lab
	}
	return shape.Lab.WithRatings(shape.Type(m.RatingType))
}

// Size returns how large the snapshot's source was.
func (m Manifest) Size() Size {
	return Size{m.Source, m.Shape().Hash, m.Rows, m.Customers, m.Products}
}

// Size is how large a source is, and which.
type Size struct {
	Source                    string // tells sources apart, "" is unknown
	Shop                      string // the hash of the shop file, "" without one
	Rows, Customers, Products int64  // interactions, customers with interactions, products
}

// MaxLatest bounds the pointer, in bytes.
const MaxLatest = 64 << 10

// Latest is the pointer to the snapshot that readers see.
type Latest struct {
	Snapshot  string    `json:"snapshot"`
	StartedAt time.Time `json:"startedAt"`
	Location  string    `json:"location"` // s3://bucket/ratings_ml_training/snapshot=<run>/
	Source    string    `json:"source"`   // its source, "" of an earlier release
	Rows      int64     `json:"rows"`
	Customers int64     `json:"customers"`
	Products  int64     `json:"products"` // in the source, the bad ones too

	Shop   string       `json:"shop,omitempty"`   // the hash of the shop file, "" without one
	Layout shape.Layout `json:"layout,omitempty"` // "" of an earlier release is shape.ByCustomer
}

// Size returns how large the snapshot's source was.
func (l Latest) Size() Size { return Size{l.Source, l.Shop, l.Rows, l.Customers, l.Products} }

// Training is how a version was trained. The same ratings and options give the same Training, so that it says nothing of
// the run.
type Training struct {
	HeldOut HoldOut  `json:"heldOut"`
	Options []Option `json:"options"`
	// Loss is the objective after each iteration of the fit without the held-out ratings.
	Loss      []float64 `json:"loss"`
	Customers int       `json:"customers"` // of the snapshot, as Items and Ratings
	Items     int       `json:"items"`
	Ratings   int64     `json:"ratings"`
	// Shop is the Hash of the shop that the version was trained for, "" for the lab's.
	Shop string `json:"shop,omitempty"`
	// Search is how Options were found, nil if they were given.
	Search *Search `json:"search,omitempty"`
	// Neighbours ranks next to the vectors, nil: the vectors rank alone.
	Neighbours *Neighbours `json:"neighbours,omitempty"`
}

// MaxTraining bounds TrainingKey, in bytes.
const MaxTraining = 1 << 20

// Neighbours is an item-item model that ranks next to the vectors (package blend), and how it is made (package neighbours).
type Neighbours struct {
	Kind string `json:"kind"` // KNN or EASE
	// TargetExponent and SourceExponent say how much popularity KNN takes off, 0 to 1.
	TargetExponent float64 `json:"targetExponent,omitempty"`
	SourceExponent float64 `json:"sourceExponent,omitempty"`
	// Ridge is the λ of EASE.
	Ridge float64 `json:"ridge,omitempty"`
	// Kept is the number of source products that each target product keeps.
	Kept int `json:"kept"`
	// Beta is the share of the item-item model in the score, 0 to 1. With 0 the vectors rank alone.
	Beta float64 `json:"beta"`
}

// The kinds of Neighbours.
const (
	KNN  = "knn"
	EASE = "ease"
)

// DefaultKept is the usual Neighbours.Kept.
const DefaultKept = 100

// Search holds the trials that found the options of a training, see package search.
type Search struct {
	Trials []Trial `json:"trials"` // in the order of the search
	Chosen int     `json:"chosen"` // index of the trial that was chosen
	Folds  int     `json:"folds"`  // how often the ratings were split
	// Customers and Ratings are the size of the candidates' training data, before the validation was taken out.
	Customers int `json:"customers"`
	Ratings   int `json:"ratings"`
	// LeftOut says which candidates were not tried because the shop is too large, a sentence each.
	LeftOut []string `json:"leftOut,omitempty"`
}

// Trial is one candidate of a search and how well it did.
type Trial struct {
	Round             int     `json:"round"` // 1 and up
	Factors           int     `json:"factors"`
	UnobservedWeight  float64 `json:"unobservedWeight"`
	Regularization    float64 `json:"regularization"`
	FrequencyExponent float64 `json:"frequencyExponent"`
	FeatureRidge      float64 `json:"featureRidge"`
	// Iterations is the number of iterations with the best figure.
	Iterations int `json:"iterations"`
	// NDCG10 is the mean NDCG@10 on the validation, over customers and folds. It is 0 if the trial failed.
	NDCG10 float64 `json:"ndcg10"`
	// Neighbours ranks next to the vectors, nil: the vectors rank alone.
	Neighbours *Neighbours `json:"neighbours,omitempty"`
	// Failed says why a candidate has no figure.
	Failed string `json:"failed,omitempty"`
}

// HoldOut says which interactions are held out: by a hash of the pair (sparse.HeldOut), or each customer's last part
// (interactions.Read).
type HoldOut struct {
	Seed     uint64  `json:"seed"`
	Fraction float64 `json:"fraction"` // of the interactions, 0 to 1
	// By is ByTime, or "" for the hash.
	By string `json:"by,omitempty"`
	// Until is the time of the snapshot's newest interaction. Later ones count neither as held out nor as trained on.
	Until time.Time `json:"until,omitzero"`
}

// ByTime holds out each customer's last part.
const ByTime = "time"

// In returns the hold-out for a snapshot: by time if its interactions have times.
func (h HoldOut) In(m Manifest) HoldOut {
	if m.Newest != nil {
		h.By, h.Until = ByTime, m.Newest.UTC()
	}
	return h
}

// Option is a setting of the training, for people.
type Option struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Popularity is the fallback of the stream: how much each item is wanted, by the customers' group.
type Popularity struct {
	Snapshot string      `json:"snapshot"`
	Items    []ItemCount `json:"items"` // ascending (item, group)
}

// ItemCount is the number of interactions with one item in one group of customers. Interactions have the weight of their
// type. Where there are times, an older one counts less (shape.Meaning).
type ItemCount struct {
	Item  string  `json:"item"`
	Group string  `json:"country"` // the value of shape.Shop.Group, "" for NULL and without groups
	Count float64 `json:"count"`
}

// ExportManifest lists a whole export. It is written once, when all of its files are there.
type ExportManifest struct {
	Export    string    `json:"export"`
	StartedAt time.Time `json:"startedAt"` // of the run: orders exports
	Version   int64     `json:"version"`
	Snapshot  string    `json:"snapshot"` // whose purchases and stock count, "" without any
	Limit     int       `json:"limit"`    // products of a list
	Format    string    `json:"format"`   // parquet or ndjson
	// CustomerType is that of the customers' ids.
	CustomerType shape.Type     `json:"customerType"`
	Files        []ExportedFile `json:"files"` // in the order of lists and ranges
}

// ExportedFile is a range of a list.
type ExportedFile struct {
	List  string `json:"list"`
	Range int    `json:"range"`
	Lists int64  `json:"lists"` // customers or products
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// LatestExport is the pointer to the export that readers see.
type LatestExport struct {
	Export    string    `json:"export"`
	StartedAt time.Time `json:"startedAt"`
	Location  string    `json:"location"` // s3://bucket/exports/export=<run>/
	Version   int64     `json:"version"`
	Snapshot  string    `json:"snapshot"`
	Format    string    `json:"format"`
	Customers int64     `json:"customers"` // with a list
	Products  int64     `json:"products"`  // with a list
}

// MaxText is the length limit of a text column of the training data, in characters.
const MaxText = shape.MaxText
