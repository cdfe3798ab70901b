package settings

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEnvironIsTheInverseOfLoad(t *testing.T) {
	weight, halfLife := 0.0, time.Duration(0)
	want := Recommend{
		Artifacts:             Artifacts{Bucket: "artifacts"},
		VectorStore:           VectorStore{URL: "postgres://reader@db/recsys"},
		RecommendationsBucket: "answers",
		DeliveryStream:        "delivery",
		Ranking:               Ranking{Limit: 7, SessionWeight: &weight, IncludeRated: true, TrendingHalfLife: &halfLife, Diversity: 0.25},
		DatabaseTimeout:       3 * time.Second,
	}
	for name, value := range Environ(want) {
		t.Setenv(name, value)
	}
	got, err := Load[Recommend]()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestDefaultsHoldForWhatIsNotSet(t *testing.T) {
	for name, value := range Environ(PlanExtract{Lake: Lake{"lake"}, Source: Source{DSN: "dsn"}}) {
		t.Setenv(name, value)
	}
	got, err := Load[PlanExtract]()
	if err != nil || got.RowsPerRange != 250000 || got.MaxConcurrency != 8 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAZeroThatSaysSomethingArrives(t *testing.T) {
	none := 0.0
	for name, value := range Environ(PublishTrainingData{Lake: Lake{"lake"}, GlueDatabase: "g", MaxRejectedFraction: &none}) {
		t.Setenv(name, value)
	}
	if got, err := Load[PublishTrainingData](); err != nil || *got.MaxRejectedFraction != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	os.Unsetenv("MAX_REJECTED_FRACTION") // t.Setenv restores it
	if got, err := Load[PublishTrainingData](); err != nil || *got.MaxRejectedFraction != 0.01 {
		t.Errorf("by default: %+v, %v", got, err)
	}
}

func TestSettingsThatMakeNoUsefulIndexAreRefused(t *testing.T) {
	for name, value := range map[string]string{
		"ARTIFACTS_BUCKET": "artifacts", "VECTOR_STORE_URL": "postgres://loader@db/recsys",
		"HNSW_M": "16", "HNSW_EF_CONSTRUCTION": "8", "RECALL_TARGET": "95", "KEEP_VERSIONS": "1",
	} {
		t.Setenv(name, value)
	}
	_, err := Load[VectorIndex]()
	for _, name := range []string{"HNSW_EF_CONSTRUCTION", "RECALL_TARGET", "KEEP_VERSIONS"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}

func TestOptionsOfTheRanking(t *testing.T) {
	for name, value := range map[string]string{
		"ARTIFACTS_BUCKET": "artifacts", "VECTOR_STORE_URL": "postgres://reader@db/recsys", "RECOMMENDATIONS_BUCKET": "answers", "DELIVERY_STREAM": "delivery",
	} {
		t.Setenv(name, value)
	}
	got, err := Load[Recommend]()
	if err != nil || got.Limit != 5 || *got.SessionWeight != 0.3 || *got.TrendingHalfLife != 6*time.Hour || got.IncludeRated || got.Diversity != 0 {
		t.Errorf("by default: %+v, %v", got.Ranking, err)
	}
	for name, value := range map[string]string{"LIMIT": "101", "SESSION_WEIGHT": "NaN", "TRENDING_HALF_LIFE": "0", "TRENDING_ITEMS": "true", "DIVERSITY": "2"} {
		t.Setenv(name, value)
	}
	_, err = Load[Recommend]()
	for _, name := range []string{"LIMIT", "SESSION_WEIGHT", "TRENDING_ITEMS", "DIVERSITY"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}

func TestAGateThatWouldDecideNonsenseIsRefused(t *testing.T) {
	for name, value := range map[string]string{
		"LAKE_BUCKET": "lake", "ARTIFACTS_BUCKET": "artifacts", "VECTOR_STORE_URL": "postgres://loader@db/recsys",
		"HOLD_OUT_FRACTION": "1", "GATE_TRAINED": "off", "GATE_MARGIN": "-1", "GATE_TOLERANCE": "2",
	} {
		t.Setenv(name, value)
	}
	_, err := Load[Evaluate]()
	for _, name := range []string{"HOLD_OUT_FRACTION", "GATE_TRAINED", "GATE_MARGIN", "GATE_TOLERANCE"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}

func TestLoadNamesEveryFaultAtOnce(t *testing.T) {
	t.Setenv("ROWS_PER_RANGE", "many")
	_, err := Load[PlanExtract]()
	for _, name := range []string{"LAKE_BUCKET", "SOURCE_DSN", "RowsPerRange"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}
