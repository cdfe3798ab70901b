// Package lake is the layout of the three buckets. It spells every object key, and defines the small JSON objects
// next to the data.
package lake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Keys of a run's work, in the lake bucket. They may expire some days after the run.

// RunsParent is above all of them.
const RunsParent = "runs/"

func PlanKey(run string) string { return RunsParent + run + "/plan.json" }

// ShapeKey is the shape.Shop of a run. plan-extract writes it before the plan, and the other steps read it.
func ShapeKey(run string) string { return RunsParent + run + "/shop.json" }

// RawPrefix holds RawKey of every table and range.
func RawPrefix(run string) string { return RunsParent + run + "/raw/" }

// RawKey is an extracted table of one range. table is "ratings", "customers" or "products".
func RawKey(run, table string, rangeIndex int) string {
	return fmt.Sprintf("%s%s/range-%04d.parquet", RawPrefix(run), table, rangeIndex)
}

// QuarantinePrefix holds a run's rejected rows.
func QuarantinePrefix(run string) string { return RunsParent + run + "/quarantine/" }

func QuarantineKey(run string, rangeIndex int) string {
	return fmt.Sprintf("%srange-%04d.ndjson", QuarantinePrefix(run), rangeIndex)
}

// SourcePrefix holds the files of a shop that is read from files, in the lake bucket.
const SourcePrefix = "source/"

// SkippedKey holds some of a range's rows that were skipped, in a shop with a file.
func SkippedKey(run string, rangeIndex int) string {
	return fmt.Sprintf("%s%s/skipped/range-%04d.ndjson", RunsParent, run, rangeIndex)
}

// RangeReportKey is the report of partition-write on a range. publish-training-data adds the reports up.
func RangeReportKey(run string, rangeIndex int) string {
	return fmt.Sprintf("%s%s/reports/range-%04d.json", RunsParent, run, rangeIndex)
}

// Keys of a snapshot, in the lake bucket. Invisible to readers until LatestKey names it.

// RangesParent holds one folder a snapshot, RangesPrefix.
const RangesParent = "snapshots/"

// RangesPrefix holds the parts of a snapshot outside the data set.
func RangesPrefix(run string) string { return RangesParent + run + "/" }

// RangeFilesPrefix holds RangeKey of every range.
func RangeFilesPrefix(run string) string { return RangesPrefix(run) + "ranges/" }

// RangeKey is the transformed rows of one range, the input of a trainer.
func RangeKey(run string, rangeIndex int) string {
	return fmt.Sprintf("%srange-%04d.parquet", RangeFilesPrefix(run), rangeIndex)
}

// ProductsKey lists the shop's products, rated or not, as Parquet of training.Product.
func ProductsKey(run string) string { return RangesPrefix(run) + "products.parquet" }

func PopularityKey(run string) string { return RangesPrefix(run) + "popularity.json" }

// SnapshotPrefix is the root of the data set that Athena, Spark and DuckDB read: partitions lie under it.
func SnapshotPrefix(run string) string { return TrainingPrefix + "snapshot=" + run + "/" }

func PartitionKey(run string, customerNumber int32) string {
	return SnapshotPrefix(run) + PartitionFolder(strconv.Itoa(int(customerNumber))) + "part-0000.parquet"
}

// PartKey is the object of a range, where the customers have none of their own.
func PartKey(run string, rangeIndex int) string {
	return SnapshotPrefix(run) + PartFolder(fmt.Sprintf("%0*d", PartDigits, rangeIndex)) + "part-0000.parquet"
}

// PartDigits is the number of digits of a range in PartFolder.
const PartDigits = 4

// PartFolder is a range's folder under SnapshotPrefix. A variable may stand for the digits.
func PartFolder(part string) string { return "part=" + part + "/" }

// PartitionFolder is a customer's folder under SnapshotPrefix. A variable may stand for the number.
func PartitionFolder(customerNumber string) string { return "customerNumber=" + customerNumber + "/" }

func ManifestKey(run string) string { return SnapshotPrefix(run) + "_manifest.json" }

const (
	// TrainingTable is the training data's name in Glue.
	TrainingTable = "ratings_ml_training"
	// TrainingPrefix holds one folder a snapshot.
	TrainingPrefix = TrainingTable + "/"
	// LatestKey is the pointer: a Latest that names the one snapshot that readers see.
	LatestKey = TrainingPrefix + "_latest.json"
)

// Keys that the data scientist hands over, in the ml-artifacts bucket.
const (
	ItemEmbeddingsKey = "embeddings/item_embeddings.csv"
	UserEmbeddingsKey = "embeddings/user_embeddings.csv"
	SuccessKey        = "embeddings/_SUCCESS" // written last, because its arrival starts the embeddings stage
	ModelKey          = "model/best_model.pth"
	SafetensorsKey    = "model/best_model.safetensors" // in place of ModelKey
	UserOneHotKey     = "scalers/user_ohe.pkl"
	UserScalerKey     = "scalers/user_std_scaler.pkl"
	ItemOneHotKey     = "scalers/item_ohe.pkl"
	ItemScalerKey     = "scalers/item_std_scaler.pkl"
)

// RequiredArtifacts must all be there once SuccessKey is.
var RequiredArtifacts = []string{ItemEmbeddingsKey, UserEmbeddingsKey}

// ModelArtifacts come together or not at all, SafetensorsKey perhaps in place of ModelKey: a version without them
// answers from stored vectors alone. The item's encoders are kept with the version if they are there. Nothing reads
// them yet.
var ModelArtifacts = []string{ModelKey, UserOneHotKey, UserScalerKey}

// OptionalArtifacts are copied when present.
var OptionalArtifacts = []string{ItemOneHotKey, ItemScalerKey}

// HandedOver are all keys that a hand-over may have, besides SuccessKey.
var HandedOver = slices.Concat(RequiredArtifacts, ModelArtifacts, []string{SafetensorsKey}, OptionalArtifacts)

// Keys that functions/train writes beside ItemEmbeddingsKey and UserEmbeddingsKey, under TrainedPrefix of its run.
const (
	LinearModelKey = "model/linear_model.bin" // gives unseen customers and products a vector
	// EvaluationItemsKey and EvaluationUsersKey are learned without the held-out ratings. evaluate measures them.
	EvaluationItemsKey = "evaluation/item_embeddings.csv"
	EvaluationUsersKey = "evaluation/user_embeddings.csv"
	TrainingKey        = "evaluation/training.json" // a Training, which tells a trained version from one that was handed over
	// NeighboursKey is the item-item model that ranks next to the vectors. EvaluationNeighboursKey is learned without the
	// held-out ratings. A training without Training.Neighbours writes neither.
	NeighboursKey           = "neighbours.bin"
	EvaluationNeighboursKey = "evaluation/neighbours.bin"
)

// TrainedArtifacts are all under TrainedPrefix once TrainedKey is there.
var TrainedArtifacts = []string{
	ItemEmbeddingsKey, UserEmbeddingsKey, LinearModelKey, EvaluationItemsKey, EvaluationUsersKey, TrainingKey,
}

// NeighbourArtifacts are there too if Training.Neighbours says so.
var NeighbourArtifacts = []string{NeighboursKey, EvaluationNeighboursKey}

// CatalogueKey is the items of a version with their vectors, in binary form. embedding-upload writes it under VersionPrefix,
// for trained and handed-over versions alike.
const CatalogueKey = "catalogue.bin"

// TrainedParent holds one folder a run, TrainedPrefix, in the ml-artifacts bucket. It may expire some days after the run.
const TrainedParent = "trained/"

// TrainedPrefix holds the artifacts of a run's training.
func TrainedPrefix(run string) string { return TrainedParent + run + "/" }

// Keys of a run's training, in the lake bucket.

// TrainingPlanKey names the snapshot that a run trains on. It is written once, so another attempt trains on the same.
func TrainingPlanKey(run string) string { return trainingPrefix(run) + "plan.json" }

// CheckpointsPrefix holds a run's checkpoints while it trains.
func CheckpointsPrefix(run string) string { return trainingPrefix(run) + "checkpoints/" }

// CheckpointKey is the progress of a run's fit. fit is "evaluation" or "serving".
func CheckpointKey(run, fit string) string { return CheckpointsPrefix(run) + fit }

// TrainedKey is written last: the run's training is done, and TrainedArtifacts are under TrainedPrefix.
func TrainedKey(run string) string { return trainingPrefix(run) + "trained.json" }

func trainingPrefix(run string) string { return RunsParent + run + "/training/" }

// Keys of a run's evaluation, in the lake bucket.

// EvaluationReportsParent holds one folder a run.
const EvaluationReportsParent = "evaluations/"

func EvaluationReportKey(run string) string { return EvaluationReportsParent + run + "/report.json" }

// EvaluationPageKey is the same report for people: one self-contained page.
func EvaluationPageKey(run string) string { return EvaluationReportsParent + run + "/report.html" }

// Keys of an export, in the lake bucket. Invisible to readers until LatestExportKey names it.

// ExportsPrefix holds one folder an export, ExportPrefix.
const ExportsPrefix = "exports/"

// LatestExportKey is the pointer: a LatestExport that names the one export that readers see.
const LatestExportKey = ExportsPrefix + "_latest.json"

// Lists of an export, which are names of folders.
const (
	ExportedCustomers = "customers" // the best products for each customer
	ExportedProducts  = "products"  // the products that are similar to each product
)

// ExportTables maps a list to its table in Glue.
var ExportTables = map[string]string{ExportedCustomers: "recommended_products", ExportedProducts: "similar_products"}

// ExportPrefix holds the export of a run.
func ExportPrefix(run string) string { return ExportsPrefix + "export=" + run + "/" }

// ExportPlanKey is the plan of an export. It is written once, so another attempt exports the same ranges of the same version.
func ExportPlanKey(run string) string { return ExportPrefix(run) + "_plan.json" }

// ExportManifestKey lists the files of a whole export.
func ExportManifestKey(run string) string { return ExportPrefix(run) + "_manifest.json" }

// ExportReportKey is the report on a range's file.
func ExportReportKey(run, list string, rangeIndex int) string {
	return fmt.Sprintf("%s_reports/%s-%04d.json", ExportPrefix(run), list, rangeIndex)
}

// ExportListPrefix holds the files of a list, one a range.
func ExportListPrefix(run, list string) string { return ExportPrefix(run) + list + "/" }

// ExportPartKey is the file of a range. The extension is that of its format.
func ExportPartKey(run, list string, rangeIndex int, extension string) string {
	return fmt.Sprintf("%spart-%04d.%s", ExportListPrefix(run, list), rangeIndex, extension)
}

// RunOfExportPrefix is the inverse of ExportPrefix.
func RunOfExportPrefix(prefix string) (run string, ok bool) {
	name, ok := strings.CutPrefix(strings.TrimSuffix(prefix, "/"), ExportsPrefix+"export=")
	return name, ok && name != "" && !strings.Contains(name, "/")
}

// VersionKey is the copy of an artifact that belongs to a version: the originals are overwritten by the next hand-over.
func VersionKey(version int64, artifact string) string { return VersionPrefix(version) + artifact }

// VersionsParent holds one folder a version, VersionPrefix.
const VersionsParent = "versions/"

// VersionPrefix holds the copies of a version.
func VersionPrefix(version int64) string { return fmt.Sprintf("%s%d/", VersionsParent, version) }

// Prefixes of the recommendations bucket that AWS's services write under.
const (
	// AnswersPrefix holds the answers of recommend: Firehose's objects.
	AnswersPrefix = "recommendations/"
	// DeliveryErrorsPrefix holds answers that Firehose could not deliver.
	DeliveryErrorsPrefix = "delivery-errors/"
	// FailedPrefix holds the batches that the event source mapping gave up. Lambda chooses the name:
	// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
	FailedPrefix = "aws/lambda/"
)

// RejectedParent is above all RejectedKeys.
const RejectedParent = "rejected/"

// RejectedKey returns the key of a streamed record that can never succeed, in the recommendations bucket. The place is its
// sequence number, with its index in the Kinesis record behind it if that holds several.
func RejectedKey(shard, place string) string { return RejectedParent + shard + "/" + place + ".json" }

// RunOfSnapshotPrefix is the inverse of SnapshotPrefix.
func RunOfSnapshotPrefix(prefix string) (run string, ok bool) {
	name, ok := strings.CutPrefix(strings.TrimSuffix(prefix, "/"), TrainingPrefix+"snapshot=")
	return name, ok && name != "" && !strings.Contains(name, "/")
}

// RunOfRangesPrefix is the inverse of RangesPrefix.
func RunOfRangesPrefix(prefix string) (run string, ok bool) {
	name, ok := strings.CutPrefix(strings.TrimSuffix(prefix, "/"), RangesParent)
	return name, ok && name != "" && !strings.Contains(name, "/")
}
