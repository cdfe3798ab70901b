package settings

import (
	"strings"
	"testing"
	"time"
)

func TestEnvironIsTheInverseOfLoad(t *testing.T) {
	want := Recommend{
		Artifacts:             Artifacts{Bucket: "artifacts"},
		VectorStore:           VectorStore{URL: "postgres://reader@db/recsys"},
		RecommendationsBucket: "answers",
		DeliveryStream:        "delivery",
		Limit:                 7,
		DatabaseTimeout:       3 * time.Second,
	}
	for name, value := range Environ(want) {
		t.Setenv(name, value)
	}
	got, err := Load[Recommend]()
	if err != nil || got != want {
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

func TestLoadNamesEveryFaultAtOnce(t *testing.T) {
	t.Setenv("ROWS_PER_RANGE", "many")
	_, err := Load[PlanExtract]()
	for _, name := range []string{"LAKE_BUCKET", "SOURCE_DSN", "RowsPerRange"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}
