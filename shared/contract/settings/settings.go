// Package settings is every environment variable of every function, with its default and its unit.
//
// A function reads its struct with Load; infra and infra/local fill in the same struct and turn it into
// variables with Environ. So a variable's name stands in one place only. AWS's own variables (region,
// endpoints, credentials) are the SDK's business and not repeated here.
package settings

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"recsys/shared/contract/distance"
)

// Lake names the data lake bucket.
type Lake struct {
	Bucket string `env:"LAKE_BUCKET,notEmpty"`
}

// Artifacts names the ml-artifacts bucket.
type Artifacts struct {
	Bucket string `env:"ARTIFACTS_BUCKET,notEmpty"`
}

// Source is the shop's MySQL.
type Source struct {
	// DSN is as go-sql-driver/mysql spells it: user[:password]@tcp(host:port)/database[?tls=true]. With tls=true the
	// server's name and authority are verified; IAM and SecretARN ask for that.
	DSN string `env:"SOURCE_DSN,notEmpty"`
	// IAM makes a token of the function's role for each connection, in the place of a password.
	IAM bool `env:"SOURCE_IAM"`
	// SecretARN is the Secrets Manager secret, as RDS makes them, that has user and password: they go before DSN's.
	SecretARN string `env:"SOURCE_SECRET_ARN"`
	// CA are the authorities that sign the server's certificate, as PEM. Default: those of Amazon RDS.
	CA string `env:"SOURCE_CA"`
	// Identity tells this source from others that the same address may have had. Default: the address.
	Identity string `env:"SOURCE_IDENTITY"`
}

// VectorStore is the PostgreSQL with pgvector.
type VectorStore struct {
	// URL is postgres://role[:password]@host:port/database[?sslmode=verify-full]. With verify-full the server's name
	// and authority are verified; IAM and SecretARN ask for that.
	URL string `env:"VECTOR_STORE_URL,notEmpty"`
	// IAM makes a token of the function's role for each connection, in the place of a password.
	IAM bool `env:"VECTOR_STORE_IAM"`
	// SecretARN is the Secrets Manager secret, as RDS makes them, that has user and password: they go before URL's.
	SecretARN string `env:"VECTOR_STORE_SECRET_ARN"`
	// CA are the authorities that sign the server's certificate, as PEM. Default: those of Amazon RDS.
	CA string `env:"VECTOR_STORE_CA"`
}

// PlanExtract configures functions/plan-extract.
type PlanExtract struct {
	Lake
	Source
	// RowsPerRange is how many ratings a range aims at; with more than 400 times as many, ranges grow.
	RowsPerRange int64 `env:"ROWS_PER_RANGE" envDefault:"250000"`
	// MaxConcurrency is how many ranges are worked on at once, 1 to 40: also the connections that the source must bear.
	MaxConcurrency int `env:"MAX_CONCURRENCY" envDefault:"8"`
	Shrinkage
}

// Extract configures functions/extract.
type Extract struct {
	Lake
	Source
}

// Transform configures functions/transform.
type Transform struct {
	Lake
}

// PartitionWrite configures functions/partition-write.
type PartitionWrite struct {
	Lake
	// Uploads is how many partitions are put at once.
	Uploads int `env:"UPLOADS" envDefault:"16"`
}

// PublishTrainingData configures functions/publish-training-data.
type PublishTrainingData struct {
	Lake
	// MaxRejectedFraction is the part of a run's rows that may go to quarantine, 0 to 1; 0 tolerates none.
	MaxRejectedFraction *float64 `env:"MAX_REJECTED_FRACTION" envDefault:"0.01"`
	// KeepSnapshots is how many snapshots are kept, the published one among them; at least 1.
	KeepSnapshots int `env:"KEEP_SNAPSHOTS" envDefault:"3"`
	Shrinkage
	// GlueDatabase and GlueTable are what Athena reads; the table is made and updated by the function.
	GlueDatabase string `env:"GLUE_DATABASE,notEmpty"`
	GlueTable    string `env:"GLUE_TABLE" envDefault:"ratings_ml_training"`
}

// Shrinkage is how far a source may shrink from run to run.
type Shrinkage struct {
	// Share is the part of the active snapshot's ratings, customers and products that must still be there, 0 to 1.
	// With less the run ends in SourceShrank; 0 lets every run pass.
	Share *float64 `env:"SHRINK_SHARE" envDefault:"0.5"`
}

// Validate reports a share that is no part.
func (s Shrinkage) Validate() error {
	if s.Share == nil || !(*s.Share >= 0 && *s.Share <= 1) {
		return errors.New("SHRINK_SHARE: want 0 to 1")
	}
	return nil
}

// HoldOut says which ratings the measured fit does not see, see sparse.HeldOut. Changed, it makes the versions before
// incomparable: the gate then looks at the baselines alone.
type HoldOut struct {
	Seed uint64 `env:"HOLD_OUT_SEED" envDefault:"1"`
	// Fraction of all ratings, each drawn by itself, more than 0 and less than 1.
	Fraction float64 `env:"HOLD_OUT_FRACTION" envDefault:"0.2"`
}

// Validate reports a fraction that leaves nothing to learn from or nothing to measure with.
func (h HoldOut) Validate() error {
	if !(h.Fraction > 0 && h.Fraction < 1) {
		return fmt.Errorf("HOLD_OUT_FRACTION %v: want more than 0, less than 1", h.Fraction)
	}
	return nil
}

// Train configures functions/train.
type Train struct {
	Lake
	Artifacts
	HoldOut
	Training
	// ByDefault trains in runs of all stages whose input does not say whether to, as long as nothing is handed over.
	ByDefault bool `env:"TRAIN_BY_DEFAULT"`
}

// Validate reports everything that nothing could be learned with.
func (s Train) Validate() error { return errors.Join(s.HoldOut.Validate(), s.Training.Validate()) }

// Training is how a model is learned. What is zero is package als's default.
type Training struct {
	// Factors is the dimension of the embeddings.
	Factors int `env:"FACTORS"`
	// Iterations over all customers and all items.
	Iterations int `env:"ITERATIONS"`
	// UnobservedWeight is the weight of a pair without a rating, against 1 of a rating of 3.
	UnobservedWeight float64 `env:"UNOBSERVED_WEIGHT"`
	// Regularization, and FrequencyExponent: how it grows with a row's number of ratings.
	Regularization    float64  `env:"REGULARIZATION"`
	FrequencyExponent *float64 `env:"FREQUENCY_EXPONENT"`
	// FeatureRidge keeps small what is learned of cities, lines and the like.
	FeatureRidge float64 `env:"FEATURE_RIDGE"`
	// Seed of the first factors.
	Seed uint64 `env:"TRAIN_SEED" envDefault:"1"`
}

// Validate reports everything that nothing could be learned with.
func (s Training) Validate() error {
	var f faults
	f.check(s.Factors >= 0 && s.Factors <= 512, "FACTORS is %d: want 1 to 512", s.Factors)
	f.check(s.Iterations >= 0 && s.Iterations <= 1000, "ITERATIONS is %d: want 1 to 1000", s.Iterations)
	f.check(s.UnobservedWeight >= 0 && s.UnobservedWeight <= 1e6, "UNOBSERVED_WEIGHT is %v: want over 0, to 1e6", s.UnobservedWeight)
	f.check(s.Regularization >= 0 && s.Regularization <= 1e6, "REGULARIZATION is %v: want over 0, to 1e6", s.Regularization)
	f.check(s.FrequencyExponent == nil || *s.FrequencyExponent >= 0 && *s.FrequencyExponent <= 1,
		"FREQUENCY_EXPONENT: want 0 to 1")
	f.check(s.FeatureRidge >= 0 && s.FeatureRidge <= 1e6, "FEATURE_RIDGE is %v: want over 0, to 1e6", s.FeatureRidge)
	return errors.Join(f...)
}

// Evaluate configures functions/evaluate.
type Evaluate struct {
	Lake
	Artifacts
	VectorStore
	HoldOut
	Gate
}

// Gate is what a version must be to become active.
type Gate struct {
	// GateTrained and GateHandedOver are what the gate does with a version that does not pass: enforce (the active one
	// stays), report (it is activated all the same), by where its artifacts come from.
	GateTrained    string `env:"GATE_TRAINED" envDefault:"enforce"`
	GateHandedOver string `env:"GATE_HANDED_OVER" envDefault:"report"`
	// Margin is by how much a version's NDCG@10 must exceed the better baseline's, and Tolerance by how much it may fall
	// behind the active version's, as parts of those: 0.1 is a tenth. Package evaluation says why these are the defaults.
	Margin    *float64 `env:"GATE_MARGIN" envDefault:"0.1"`
	Tolerance *float64 `env:"GATE_TOLERANCE" envDefault:"0.15"`
}

// Validate reports everything that would make the gate decide nonsense.
func (s Evaluate) Validate() error { return errors.Join(s.HoldOut.Validate(), s.Gate.Validate()) }

// Validate reports everything that would make the gate decide nonsense.
func (s Gate) Validate() error {
	var f faults
	for name, mode := range map[string]string{"GATE_TRAINED": s.GateTrained, "GATE_HANDED_OVER": s.GateHandedOver} {
		f.check(mode == "enforce" || mode == "report", "%s %q: want enforce or report", name, mode)
	}
	f.check(s.Margin != nil && *s.Margin >= 0 && *s.Margin <= 10, "GATE_MARGIN: want 0 to 10")
	f.check(s.Tolerance != nil && *s.Tolerance >= 0 && *s.Tolerance <= 1, "GATE_TOLERANCE: want 0 to 1")
	return errors.Join(f...)
}

// EmbeddingUpload configures functions/embedding-upload.
type EmbeddingUpload struct {
	Lake
	Artifacts
	VectorStore
	HandOver
}

// HandOver is what a data scientist's embeddings do not say themselves.
type HandOver struct {
	// Metric they are compared by: cosine, inner_product or l2.
	Metric string `env:"METRIC" envDefault:"cosine"`
	// ModelCheck is what becomes of a model that does not give the handed-over vectors of sampled customers: enforce
	// refuses the hand-over, report says so and goes on, for vectors that no tower made.
	ModelCheck string `env:"MODEL_CHECK" envDefault:"enforce"`
}

// Validate reports a metric or a mode of the check that does not exist.
func (s HandOver) Validate() error {
	var f faults
	if _, err := distance.Parse(s.Metric); err != nil {
		f.check(false, "METRIC is %q: want one of %s", s.Metric, strings.Join(distance.Names(), ", "))
	}
	f.check(slices.Contains([]string{"enforce", "report"}, s.ModelCheck), "MODEL_CHECK is %q: want enforce or report", s.ModelCheck)
	return errors.Join(f...)
}

// VectorIndex configures functions/vector-index.
type VectorIndex struct {
	Artifacts
	VectorStore
	Index
}

// Index is how the vector index is built and held to its recall.
type Index struct {
	// M and EfConstruction are pgvector's HNSW build parameters.
	M              int `env:"HNSW_M" envDefault:"16"`
	EfConstruction int `env:"HNSW_EF_CONSTRUCTION" envDefault:"64"`
	// RecallTarget is the recall@10 that the index must reach, 0 to 1.
	RecallTarget float64 `env:"RECALL_TARGET" envDefault:"0.95"`
	// RecallQueries is how many items and users are sampled to measure it.
	RecallQueries int `env:"RECALL_QUERIES" envDefault:"200"`
	// KeepVersions is how many versions are kept, the active one among them; at least 2, for the rollback.
	KeepVersions int `env:"KEEP_VERSIONS" envDefault:"3"`
}

// Validate reports everything that could not make a useful index, before a load is spent on it.
func (s Index) Validate() error {
	var f faults
	f.check(s.M >= 2 && s.M <= 100, "HNSW_M %d: want 2 to 100", s.M)
	f.check(s.EfConstruction >= max(4, 2*s.M) && s.EfConstruction <= 1000,
		"HNSW_EF_CONSTRUCTION %d: want at least 4 and twice HNSW_M, at most 1000", s.EfConstruction)
	f.check(s.RecallTarget > 0 && s.RecallTarget <= 1, "RECALL_TARGET %v: want more than 0, at most 1", s.RecallTarget)
	f.check(s.RecallQueries >= 1, "RECALL_QUERIES %d: want at least 1", s.RecallQueries)
	f.check(s.KeepVersions >= 2, "KEEP_VERSIONS %d: want at least 2, for the rollback", s.KeepVersions)
	return errors.Join(f...)
}

// Recommend configures functions/recommend.
type Recommend struct {
	Artifacts
	VectorStore
	// RecommendationsBucket takes the rejected records.
	RecommendationsBucket string `env:"RECOMMENDATIONS_BUCKET,notEmpty"`
	// DeliveryStream is the Firehose stream that takes the answers.
	DeliveryStream string `env:"DELIVERY_STREAM,notEmpty"`
	Ranking
	// DatabaseTimeout bounds each step of a batch's work in the vector database: a connection, the version, the answers, the carts.
	DatabaseTimeout time.Duration `env:"DATABASE_TIMEOUT" envDefault:"10s"`
}

// Ranking is how recommend makes its lists.
type Ranking struct {
	// Limit is how many items a list holds, 1 to MaxLimit.
	Limit int `env:"LIMIT" envDefault:"5"`
	// SessionWeight is how far the session moves the customer's vector towards its own products, 0 to 1: 0 not at all,
	// 1 all the way. A customer without a vector is answered from the session alone, whatever it is.
	SessionWeight *float64 `env:"SESSION_WEIGHT" envDefault:"0.3"`
	// IncludeRated lets lists hold what the customer has rated, by the newest snapshot.
	IncludeRated bool `env:"INCLUDE_RATED" envDefault:"false"`
	// IncludeSession lets lists hold what is in the session's history or cart.
	IncludeSession bool `env:"INCLUDE_SESSION" envDefault:"false"`
	// IncludeOutOfStock lets lists hold what the newest snapshot has a stock of 0 of. What it does not know is in stock.
	IncludeOutOfStock bool `env:"INCLUDE_OUT_OF_STOCK" envDefault:"false"`
	// TrendingHalfLife is after which time what was put into a cart counts half; 0 keeps and recommends no trends.
	TrendingHalfLife *time.Duration `env:"TRENDING_HALF_LIFE" envDefault:"6h"`
	// TrendingItems adds trending_items to every answer.
	TrendingItems bool `env:"TRENDING_ITEMS" envDefault:"false"`
	// Diversity is how much of the score is given for product lines not yet in the list, 0 to 1; see ranking.Diverse.
	Diversity float64 `env:"DIVERSITY" envDefault:"0"`
}

// MaxLimit keeps a list within what one pass through the index finds, and an answer small.
const MaxLimit = 100

// Validate reports every option that is out of its bounds, all at once.
func (s Ranking) Validate() error {
	var f faults
	f.check(s.Limit >= 1 && s.Limit <= MaxLimit, "LIMIT is %d: want 1 to %d items", s.Limit, MaxLimit)
	f.check(*s.SessionWeight >= 0 && *s.SessionWeight <= 1, "SESSION_WEIGHT is %v: want 0 to 1", *s.SessionWeight)
	f.check(*s.TrendingHalfLife == 0 || *s.TrendingHalfLife >= time.Second,
		"TRENDING_HALF_LIFE is %v: want at least 1s, or 0 for no trends", *s.TrendingHalfLife)
	f.check(!s.TrendingItems || *s.TrendingHalfLife > 0, "TRENDING_ITEMS wants a TRENDING_HALF_LIFE")
	f.check(s.Diversity >= 0 && s.Diversity <= 1, "DIVERSITY is %v: want 0 to 1", s.Diversity)
	return errors.Join(f...)
}

// BootstrapVectorStore configures functions/bootstrap-vector-store, which a deployment runs: it connects as the
// database's owner.
type BootstrapVectorStore struct {
	VectorStore
}

// LoadSampleShop configures functions/load-sample-shop, which a deployment runs where it brings a database of its
// own: it connects as a user who may create databases and users; the DSN names no database.
type LoadSampleShop struct {
	Source
	// Reader is the user that the functions read the shop as; it is created, with IAM authentication.
	Reader string `env:"SOURCE_READER" envDefault:"recsys_reader"`
	// Database, Seed, Customers, Products, Ratings and TasteStrength are package sampleshop's Options.
	Database      string  `env:"SHOP_DATABASE" envDefault:"classicmodels"`
	Seed          uint64  `env:"SHOP_SEED" envDefault:"1"`
	Customers     int     `env:"SHOP_CUSTOMERS" envDefault:"122"`
	Products      int     `env:"SHOP_PRODUCTS" envDefault:"110"`
	Ratings       int     `env:"SHOP_RATINGS" envDefault:"2500"`
	TasteStrength float64 `env:"SHOP_TASTE_STRENGTH" envDefault:"1"`
}

// faults are what is wrong with settings.
type faults []error

func (f *faults) check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// Load reads a settings struct from the environment; the error names every variable that is missing or wrong.
func Load[T any]() (T, error) {
	settings, err := env.ParseAs[T]()
	if checked, ok := any(settings).(interface{ Validate() error }); ok && err == nil {
		err = checked.Validate()
	}
	if err != nil {
		return settings, fmt.Errorf("reading settings from the environment: %w", err)
	}
	return settings, nil
}

// Environ is the inverse of Load: the variables that give a function these settings. Zero values are left
// out, so that their defaults hold; where a zero says something, the field is a pointer.
func Environ(settings any) map[string]string {
	variables := map[string]string{}
	collect(reflect.ValueOf(settings), variables)
	return variables
}

func collect(value reflect.Value, variables map[string]string) {
	for i := range value.NumField() {
		field, tag := value.Field(i), value.Type().Field(i)
		name := variableOf(tag)
		switch {
		case tag.Anonymous:
			collect(field, variables)
		case !field.IsZero():
			variables[name] = fmt.Sprint(reflect.Indirect(field).Interface())
		}
	}
}

// variableOf is the environment variable of a field.
func variableOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	return name
}
