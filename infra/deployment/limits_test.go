package deployment

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
)

// hardLimits are the bounds of AWS that no quota raises. A value beyond them must be refused here and not by CloudFormation,
// minutes into a deployment.
var hardLimits = map[string]struct {
	low, high int
	source    string
}{
	"sourcePort":           {1, 65_535, "https://www.rfc-editor.org/rfc/rfc9293"},
	"vectorStorageGiB":     {20, 65_536 / 10, "gp3, which grows to ten times as much: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"},
	"maxConcurrency":       {1, 40, "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html"},
	"successWithinHours":   {1, 168, "a week: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"},
	"runRetentionDays":     {1, 1<<31 - 1, "https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html"},
	"answerRetentionDays":  {1, 1<<31 - 1, "https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html"},
	"shards":               {1, 10_000, "https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html"},
	"streamRetentionHours": {24, 8760, "https://docs.aws.amazon.com/kinesis/latest/APIReference/API_IncreaseStreamRetentionPeriod.html"},
	"parallelization":      {1, 10, eventSourceMapping},
	"batchSize":            {1, 10_000, eventSourceMapping},
	"batchWindowSeconds":   {0, 300, eventSourceMapping},
	"maxRecordAgeSeconds":  {60, 604_800, eventSourceMapping},
	"maxAttempts":          {0, 10_000, eventSourceMapping},
	"deliverySeconds":      {0, 900, "https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html"},
	"trainMemoryMiB":       {128, 10_240, "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"},
	"factors":              {1, 2000, "dimensions of an index: https://github.com/pgvector/pgvector#hnsw"},
	"hnswM":                {2, 100, "https://github.com/pgvector/pgvector#index-options"},
	"hnswEfConstruction":   {4, 1000, "https://github.com/pgvector/pgvector#index-options"},
}

const eventSourceMapping = "https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"

// ownLimits are numbers that AWS knows nothing of.
var ownLimits = []string{
	"rowsPerRange", "budgetUSD", "iterations", "trainSeed", "holdOutSeed", "recallQueries", "keepVersions", "keepSnapshots", "uploads", "limit", "customerFolders",
	"exportLimit", "keepExports", "apiCalls", "apiRate", "inMemoryUpTo",
}

func TestNoOptionGoesBeyondAHardLimit(t *testing.T) {
	for name, limit := range hardLimits {
		for _, beyond := range []int{limit.low - 1, limit.high + 1} {
			if _, err := ReadConfig(map[string]any{name: fmt.Sprint(beyond)}); err == nil {
				t.Errorf("%s=%d is taken: AWS takes %d to %d (%s)", name, beyond, limit.low, limit.high, limit.source)
			}
		}
	}
}

// A number that is added has a row above, with its source, or is said to have none.
func TestEveryNumberHasItsLimit(t *testing.T) {
	numbers := wholeNumbers(reflect.TypeFor[Config]())
	slices.Sort(numbers)
	want := append(slices.Collect(maps.Keys(hardLimits)), ownLimits...)
	want = append(want, "logRetentionDays") // one of a list
	slices.Sort(want)
	if !slices.Equal(numbers, want) {
		t.Errorf("the options' numbers are %v,\nand the limits are of %v", numbers, want)
	}
}

// wholeNumbers are the options of a struct that hold one.
func wholeNumbers(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name := field.Tag.Get("option")
		switch {
		case field.Anonymous && name == "":
			names = append(names, wholeNumbers(field.Type)...)
		case name != "" && slices.Contains([]string{"int", "int64", "uint64"}, field.Type.String()):
			names = append(names, name)
		}
	}
	return names
}
