package lake_test

import (
	"fmt"

	"recsys/shared/contract/lake"
)

// One customer's rows of one snapshot, the way that Athena, Spark and DuckDB read them.
func ExamplePartitionKey() {
	fmt.Println(lake.PartitionKey("nightly-2026-11-23", 103))
	fmt.Println(lake.ManifestKey("nightly-2026-11-23"))
	fmt.Println(lake.LatestKey)
	// Output:
	// ratings_ml_training/snapshot=nightly-2026-11-23/customerNumber=103/part-0000.parquet
	// ratings_ml_training/snapshot=nightly-2026-11-23/_manifest.json
	// ratings_ml_training/_latest.json
}

// A prefix without a run's name belongs to no run.
func ExampleRunOfSnapshotPrefix() {
	run, ok := lake.RunOfSnapshotPrefix(lake.SnapshotPrefix("nightly-2026-11-23"))
	fmt.Println(run, ok)
	_, ok = lake.RunOfSnapshotPrefix(lake.TrainingPrefix)
	fmt.Println(ok)
	// Output:
	// nightly-2026-11-23 true
	// false
}
