package settings

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func setenv(t *testing.T, variables map[string]string) {
	t.Helper()
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

// complete has the settings that a deployment must give to recommend.
func complete() Recommend {
	s := Default[Recommend]()
	s.Artifacts.Bucket, s.URL, s.RecommendationsBucket, s.DeliveryStream = "artifacts", "postgres://reader@db/recsys", "answers", "delivery"
	return s
}

func TestEnvironIsTheInverseOfLoad(t *testing.T) {
	zeros := complete()
	zeros.SessionWeight, zeros.TrendingHalfLife, zeros.Diversity = 0, 0, 0
	others := complete()
	others.Ranking = Ranking{Limit: 7, SessionWeight: 1, IncludeRated: true, TrendingHalfLife: 90 * time.Minute, Diversity: 0.25}
	others.IAM, others.SecretARN, others.CA, others.DatabaseTimeout = true, "arn:aws:secretsmanager:…", "a certificate", 3*time.Second
	for _, want := range []Recommend{complete(), zeros, others} {
		setenv(t, Environ(want))
		if got, err := Load[Recommend](); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

// A function must not fall back to a default of its own: the deployment passes every variable, also one of the default's value.
func TestEveryVariableIsPassed(t *testing.T) {
	got := slices.Sorted(maps.Keys(Environ(Default[PlanExtract]())))
	want := strings.Fields("CUSTOMER_FOLDERS LAKE_BUCKET MAX_CONCURRENCY PARTITIONS ROWS_PER_RANGE SHOP_FILE SHRINK_SHARE SOURCE_CA SOURCE_DSN SOURCE_IAM SOURCE_IDENTITY SOURCE_SECRET_ARN")
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if variables := Environ(complete()); variables["VECTOR_STORE_CA"] != "auto" || variables["VECTOR_STORE_SECRET_ARN"] != "none" || variables["TRENDING_HALF_LIFE"] != "6h0m0s" {
		t.Errorf("what nobody has chosen: %v", variables)
	}
}

func TestLoadNamesEveryFaultAtOnce(t *testing.T) {
	setenv(t, map[string]string{
		"ARTIFACTS_BUCKET": "artifacts", "VECTOR_STORE_URL": "", "LIMIT": "101", "SESSION_WEIGHT": "NaN", "TRENDING_HALF_LIFE": "soon",
		"TRENDING_ITEMS": "perhaps", "DIVERSITY": "2", "INCLUDE_RATED": "true",
	})
	_, err := Load[Recommend]()
	for _, fault := range []string{
		"VECTOR_STORE_URL is missing", "RECOMMENDATIONS_BUCKET is missing", "DELIVERY_STREAM is missing", "LIMIT is 101: want 1 to 100",
		"SESSION_WEIGHT is NaN: want 0 to 1", `TRENDING_HALF_LIFE is "soon": want a time`, `TRENDING_ITEMS is "perhaps": want true or false`, "DIVERSITY is 2: want 0 to 1",
	} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("the error lacks %q: %v", fault, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "INCLUDE_RATED") {
		t.Errorf("the error names a sound variable: %v", err)
	}
}
