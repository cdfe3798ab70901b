package settings

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOptionsGoByName(t *testing.T) {
	got, err := ParseOptions(map[string]string{"sessionWeight": "0", "trendingHalfLife": "90m", "hnswM": "32", "gateTrained": "report", "holdOutSeed": "7", "factors": "64"})
	if err != nil || *got.SessionWeight != 0 || *got.TrendingHalfLife != 90*time.Minute || got.M != 32 || got.GateTrained != "report" || got.HoldOut.Seed != 7 || got.Factors != 64 {
		t.Errorf("got %+v, %v", got, err)
	}
	if got.Limit != 5 || got.EfConstruction != 64 || got.GateHandedOver != "report" || *got.Margin != 0.1 || got.Metric != "cosine" || got.Training.Seed != 1 {
		t.Errorf("what is not given: %+v", got)
	}
	if variables := Environ(Evaluate{HoldOut: got.HoldOut, Gate: got.Gate}); variables["GATE_TRAINED"] != "report" || variables["HOLD_OUT_SEED"] != "7" {
		t.Errorf("do not arrive at the function: %v", variables)
	}
}

// A window and a number of attempts of 0 say something.
func TestOptionsOfTheStream(t *testing.T) {
	got, err := ParseOptions(nil)
	if err != nil || got.BatchSize != 500 || *got.BatchWindowSeconds != 1 || got.MaxRecordAgeSeconds != 21600 || *got.MaxAttempts != 1000 {
		t.Errorf("by default: %+v, %v", got.Feed, err)
	}
	got, err = ParseOptions(map[string]string{"batchSize": "7", "batchWindowSeconds": "0", "maxAttempts": "0", "trainMemoryMiB": "512"})
	if err != nil || got.BatchSize != 7 || *got.BatchWindowSeconds != 0 || *got.MaxAttempts != 0 || got.TrainMemoryMiB != 512 {
		t.Errorf("given: %+v, %+v, %v", got.Feed, got.Sizes, err)
	}
}

func TestOptionsHaveTheFunctionsDefaults(t *testing.T) {
	for name, value := range Environ(Recommend{Artifacts: Artifacts{"artifacts"}, VectorStore: VectorStore{URL: "url"}, RecommendationsBucket: "answers", DeliveryStream: "delivery"}) {
		t.Setenv(name, value)
	}
	want, err := Load[Recommend]()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseOptions(nil); err != nil || !reflect.DeepEqual(got.Ranking, want.Ranking) {
		t.Errorf("got %+v, %v, want %+v", got.Ranking, err, want.Ranking)
	}
}

func TestWrongOptionsAreNamedAtOnce(t *testing.T) {
	for want, given := range map[string]map[string]string{
		"sessionWait is no option: want one of batchSize, ": {"sessionWait": "1"},
		"LIMIT is no option":        {"LIMIT": "1"},
		"Limit":                     {"limit": "many"},
		"LIMIT is 0: want 1 to 100": {"limit": "0"},
		"SESSION_WEIGHT is 2":       {"limit": "0", "sessionWeight": "2"},
		"GATE_TRAINED":              {"gateTrained": "off"},
		"HOLD_OUT_FRACTION 1":       {"holdOutFraction": "1"},
		"FACTORS is -1":             {"factors": "-1"},
		"holdOutSeed is 0, which":   {"holdOutSeed": "0"},
		"unobservedWeight is 0, wh": {"unobservedWeight": "0", "diversity": "0", "includeRated": "false", "sessionWeight": "0"},
		"batchSize is 0: want 1":    {"batchSize": "0"},
		"batchWindowSeconds is 301": {"batchWindowSeconds": "301"},
		"trainMemoryMiB is 511":     {"trainMemoryMiB": "511"},
		"trainMemoryMiB is 0, whic": {"trainMemoryMiB": "0"},
		"METRIC is \"dot\"":         {"metric": "dot"},
		"HNSW_EF_CONSTRUCTION 8":    {"hnswEfConstruction": "8"},
	} {
		if _, err := ParseOptions(given); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", given, err, want)
		}
	}
}
