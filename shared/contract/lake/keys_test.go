package lake

import "testing"

func TestKeysAreThoseOfTheContract(t *testing.T) {
	for got, want := range map[string]string{
		PlanKey("r-1"):                            "runs/r-1/plan.json",
		RawKey("r-1", "ratings", 7):               "runs/r-1/raw/ratings/range-0007.parquet",
		QuarantineKey("r-1", 7):                   "runs/r-1/quarantine/range-0007.ndjson",
		RangeKey("r-1", 399):                      "snapshots/r-1/ranges/range-0399.parquet",
		ProductsKey("r-1"):                        "snapshots/r-1/products.parquet",
		PopularityKey("r-1"):                      "snapshots/r-1/popularity.json",
		PartitionKey("r-1", 103):                  "ratings_ml_training/snapshot=r-1/customerNumber=103/part-0000.parquet",
		ManifestKey("r-1"):                        "ratings_ml_training/snapshot=r-1/_manifest.json",
		LatestKey:                                 "ratings_ml_training/_latest.json",
		VersionPrefix(12):                         "versions/12/",
		VersionKey(12, ModelKey):                  "versions/12/model/best_model.pth",
		LinearModelKey:                            "model/linear_model.bin",
		TrainedPrefix("r-1"):                      "trained/r-1/",
		TrainingPlanKey("r-1"):                    "runs/r-1/training/plan.json",
		CheckpointKey("r-1", "serving"):           "runs/r-1/training/checkpoints/serving",
		TrainedKey("r-1"):                         "runs/r-1/training/trained.json",
		EvaluationReportKey("r-1"):                "evaluations/r-1/report.json",
		EvaluationPageKey("r-1"):                  "evaluations/r-1/report.html",
		RejectedKey("shardId-000000000000", "49"): "rejected/shardId-000000000000/49.json",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestRunOfSnapshotPrefix(t *testing.T) {
	if run, ok := RunOfSnapshotPrefix(SnapshotPrefix("r-1")); !ok || run != "r-1" {
		t.Errorf("got %q, %t", run, ok)
	}
	for _, prefix := range []string{"", TrainingPrefix, TrainingPrefix + "snapshot=/", TrainingPrefix + "snapshot=a/b/", "runs/r-1/"} {
		if run, ok := RunOfSnapshotPrefix(prefix); ok {
			t.Errorf("%q passed as the run %q", prefix, run)
		}
	}
}
