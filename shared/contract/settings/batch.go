package settings

import (
	"fmt"

	"recsys/shared/contract/distance"
)

// Ranges is how the extraction is cut into branches.
type Ranges struct {
	// RowsPerRange is a goal. With more than 400 times as many ratings, ranges grow. A range's files lie in a function's
	// ephemeral storage.
	RowsPerRange int64 `option:"rowsPerRange" default:"250000" min:"1" max:"5000000" text:"ratings that a branch works on"`
	// MaxConcurrency is also the number of connections that the source must bear.
	MaxConcurrency int `option:"maxConcurrency" default:"8" min:"1" max:"40" text:"branches that work at once"`
}

// Layout is how a snapshot is partitioned, see shape.Layout.
type Layout struct {
	// Partitions of auto go by the shop file. Without one, a source keeps the layout of its first snapshot.
	Partitions string `option:"partitions" default:"auto" pattern:"^(auto|customer|range)$" text:"a folder a customer, a file a range, or auto"`
	// CustomerFolders bounds the objects and the puts of a run. Athena looks into each folder.
	CustomerFolders int64 `option:"customerFolders" default:"100000" min:"0" max:"10000000" text:"customers up to which auto gives each a folder"`
}

// Shrinkage is how far a source may shrink from run to run.
type Shrinkage struct {
	// Share is of the active snapshot. With less the run ends in SourceShrank, and 0 lets every run pass.
	Share float64 `option:"shrinkShare" default:"0.5" min:"0" max:"1" text:"the part of the ratings, customers and products that must still be there"`
}

// Partitions is how the customers' files are written.
type Partitions struct {
	Uploads int `option:"uploads" default:"16" min:"1" max:"256" text:"partitions that are put at once"`
}

// Publishing holds the conditions for a snapshot to be published, and how long it stays.
type Publishing struct {
	// MaxRejectedFraction of 0 tolerates none.
	MaxRejectedFraction float64 `option:"maxRejectedFraction" default:"0.01" min:"0" max:"1" text:"the part of a run's rows that may go to quarantine"`
	KeepSnapshots       int     `option:"keepSnapshots" default:"3" min:"1" max:"1000" text:"snapshots that are kept, the published one among them"`
}

// WhenToTrain says which runs train.
type WhenToTrain struct {
	// ByDefault is for runs of all stages whose input does not say. As long as something is handed over they do not train.
	ByDefault bool `option:"train" env:"TRAIN_BY_DEFAULT" default:"true" text:"runs train a model of our own, as long as nothing is handed over"`
}

// HoldOut says which ratings the measured fit does not see, see sparse.HeldOut. A change makes the versions before it
// incomparable: the gate then looks at the baselines alone.
type HoldOut struct {
	Seed     uint64  `option:"holdOutSeed" default:"1" text:"draws the ratings that are held out"`
	Fraction float64 `option:"holdOutFraction" default:"0.2" over:"0" under:"1" text:"the part of all ratings that is held out, each drawn by itself"`
}

// Training is how a model is learned. Package als describes the method. Beyond 1e6 a float32 no longer tells the small
// weights from each other.
type Training struct {
	Factors    int `option:"factors" default:"auto" auto:"32" min:"1" max:"512" text:"the dimension of the embeddings. auto: as the search finds, or 32"`
	Iterations int `option:"iterations" default:"auto" auto:"10" min:"1" max:"1000" text:"how often both sides are solved. auto: as the search finds, or 10"`
	// UnobservedWeight is α₀ of Rendle et al. A rating of 3 weighs 1.
	UnobservedWeight float64 `option:"unobservedWeight" default:"auto" auto:"0.5" over:"0" max:"1e6" text:"the weight of a pair without a rating. auto: as the search finds, or 0.5"`
	// Regularization is λ: a row with n ratings is regularised by λ·n^FrequencyExponent.
	Regularization float64 `option:"regularization" default:"auto" auto:"0.45" over:"0" max:"1e6" text:"how much the vectors are held back. auto: as the search finds, or 0.45"`
	// FrequencyExponent is ν. With 0 all rows are regularised alike, with 1 in proportion to their ratings.
	FrequencyExponent float64 `option:"frequencyExponent" default:"auto" auto:"0.75" min:"0" max:"1" text:"how the regularization grows with a row's number of ratings. auto: as the search finds, or 0.75"`
	// FeatureRidge has the average row as its unit. A feature counts as if it had been seen on so many more rows with
	// vectors that it says nothing of.
	FeatureRidge float64 `option:"featureRidge" default:"auto" auto:"5" over:"0" max:"1e6" text:"how much is held back of the maps from cities, lines and the like. auto: as the search finds, or 5"`
	Seed         uint64  `option:"trainSeed" default:"1" text:"draws the first factors"`
	// Pinned tells the numbers that were given from those of auto, which the search may change.
	Pinned Pinned
}

// Pinned says which options of a training were given.
type Pinned struct{ Factors, Iterations, UnobservedWeight, Regularization, FrequencyExponent, FeatureRidge bool }

// Search is how the options of the training are found.
type Search struct {
	// Search tries about 35 sets of options on the shop's own ratings, see package search. An option of Training that is given
	// as a number is not searched. With off, auto stands for the fixed numbers.
	Search string `option:"search" default:"full" oneof:"full off" text:"whether the options of the training that are auto are searched on the shop's own ratings"`
	// ItemNeighbours is a model that ranks next to the vectors, see package blend. knn and ease have fixed settings, unless the
	// search finds better ones of the kind.
	ItemNeighbours string `option:"itemNeighbours" default:"auto" oneof:"auto off knn ease" text:"the item-item model that ranks next to the vectors. auto: as the search finds, or none"`
}

// Gate holds the conditions for a version to become active.
type Gate struct {
	// GateTrained and GateHandedOver decide on a version that does not pass, by the origin of its artifacts. With
	// enforce the active version stays. With report the version is activated all the same.
	GateTrained    string `option:"gateTrained" default:"enforce" oneof:"enforce report" text:"the gate's effect on a trained version that does not pass"`
	GateHandedOver string `option:"gateHandedOver" default:"report" oneof:"enforce report" text:"the gate's effect on a handed-over version that does not pass"`
	// GateNeighbours is about a model that does not surely beat item kNN with fixed settings. enforce counts that as not
	// passed. On some shops the best model known is hardly better, so report is the default.
	GateNeighbours string `option:"gateNeighbours" default:"report" oneof:"report enforce" text:"whether a version must also beat item kNN to pass the gate"`
	Allowance
}

// Allowance holds the gate's demand and its tolerance, as parts of NDCG@10. Package evaluation says why these are the
// defaults.
type Allowance struct {
	Margin    float64 `json:"margin" option:"gateMargin" default:"0.1" min:"0" max:"10" text:"the share by which a version must exceed the better baseline"`
	Tolerance float64 `json:"tolerance" option:"gateTolerance" default:"0.15" min:"0" max:"1" text:"the share by which it may fall behind the active version"`
	// Coverage is a share of the most that the lists of all customers can cover: min(1, 10 · customers / products).
	Coverage float64 `json:"coverage,omitempty" option:"gateCoverage" default:"0" min:"0" max:"1" text:"the least share of the catalogue, of what lists of ten can cover, that a version must recommend. 0: any"`
}

// HandOver holds facts that a data scientist's embeddings do not state themselves.
type HandOver struct {
	Metric distance.Metric `option:"metric" default:"cosine" text:"compares the embeddings that are handed over"`
	// ModelCheck is about a model that does not give the handed-over vectors of sampled customers. enforce refuses
	// the hand-over. report notes it and goes on, for vectors that no tower made.
	ModelCheck string `option:"modelCheck" default:"enforce" oneof:"enforce report" text:"the effect of a model that gives other vectors than the hand-over"`
}

// Index is how the vector index is built and held to its recall.
type Index struct {
	// M and EfConstruction are pgvector's HNSW build parameters.
	M              int     `option:"hnswM" default:"16" min:"2" max:"100" text:"links an item in the index"`
	EfConstruction int     `option:"hnswEfConstruction" default:"64" min:"4" max:"1000" text:"how hard good links are looked for, at least twice hnswM"`
	RecallTarget   float64 `option:"recallTarget" default:"0.95" over:"0" max:"1" text:"recall@10 that the index must reach"`
	RecallQueries  int     `option:"recallQueries" default:"200" min:"1" max:"100000" text:"items and users that are sampled to measure it"`
	// KeepVersions is at least 2, because a rollback needs the version before.
	KeepVersions int `option:"keepVersions" default:"3" min:"2" max:"1000" text:"versions that are kept, the active one among them"`
}

// CheckTogether reports an index that pgvector would refuse.
func (s Index) CheckTogether() error {
	if s.EfConstruction < 2*s.M {
		return fmt.Errorf("hnswEfConstruction is %d: want at least %d, which is twice hnswM", s.EfConstruction, 2*s.M)
	}
	return nil
}

// Exporting says which lists each run writes for all.
type Exporting struct {
	Export       string `option:"export" default:"off" oneof:"off customers products all" text:"lists that each run writes to the lake: the best products for each customer, those similar to each product, or both"`
	ExportLimit  int    `option:"exportLimit" default:"20" min:"1" max:"100" text:"products that an exported list holds"`
	ExportFormat string `option:"exportFormat" default:"parquet" oneof:"parquet ndjson" text:"the format of exported files"`
	KeepExports  int    `option:"keepExports" default:"3" min:"1" max:"1000" text:"exports that are kept, the published one among them"`
}

// Sizes changes the memory of a function. Package workflow has the other sizes.
type Sizes struct {
	// TrainMemoryMiB buys cores, too: 1,769 are one core. With 10,240, six cores, 20 million ratings take some minutes.
	// New accounts have a quota of 3,008.
	TrainMemoryMiB int `option:"trainMemoryMiB" env:"TRAIN_MEMORY_MIB" default:"3008" min:"512" max:"10240" text:"memory of the training"`
}

// SampleShop is the size and the content of a made-up shop, see package sampleshop.
type SampleShop struct {
	Seed     uint64 `option:"seed" env:"SHOP_SEED" default:"1" text:"everything that is drawn"`
	Database string `option:"database" env:"SHOP_DATABASE" default:"classicmodels" pattern:"^[A-Za-z0-9_]{1,64}$" text:"the name in CREATE DATABASE and USE"`
	// Customers: about four in five have orders, and ratings.
	Customers int `option:"customers" env:"SHOP_CUSTOMERS" default:"122" min:"5" max:"10000000" text:"customers in the shop"`
	// Products: all but one can be bought.
	Products int `option:"products" env:"SHOP_PRODUCTS" default:"110" min:"10" max:"1000000" text:"products in the shop"`
	// Ratings are as many as Customers, or more, and at most a third of all pairs of a customer with orders and a product.
	Ratings int `option:"ratings" env:"SHOP_RATINGS" default:"2500" min:"1" max:"1000000000" text:"ratings, exactly"`
	// TasteStrength of 0 makes ratings noise, so that only popularity is left. 1 is clear, 3 is nearly everything.
	TasteStrength float64 `option:"tasteStrength" env:"SHOP_TASTE_STRENGTH" default:"1" min:"0" max:"3" text:"how much taste decides purchases and ratings"`
}

// CheckTogether reports a number of ratings that the shop cannot hold.
func (s SampleShop) CheckTogether() error {
	if most := s.Customers * 3 / 5 * (s.Products - 1) / 3; s.Ratings < s.Customers || s.Ratings > most {
		return fmt.Errorf("ratings is %d: want %d to %d with %d customers and %d products", s.Ratings, s.Customers, most, s.Customers, s.Products)
	}
	return nil
}
