package platform

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/db/postgres"
	"recsys/infra/local/sample"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/lake"
	"recsys/shared/store/vectorstore"
)

// activities are a batch that answers six records and rejects two.
func activities() string {
	lines := strings.Split(string(sample.Sessions()), "\n")[:6]
	return strings.Join(slices.Insert(lines, 3, "not JSON", "[]"), "\n")
}

// killRecommend streams a batch once undisturbed, and then once for each of its points: each record is answered at
// least once, and always the same.
func killRecommend(t *testing.T, k *killer) {
	restore(t, k.platform, "two versions")
	want := stream(t, k, nil)
	points := k.points()[recommend]
	if len(points) < 6 { // two rejections and one batch for Firehose
		t.Fatalf("only the points %v were found", points)
	}
	tried := testbed.Spread(points, every)
	for _, at := range tried {
		if got := stream(t, k, map[string]point{recommend: at}); !slices.Equal(got, want) {
			t.Errorf("%v: got\n%s\nwant\n%s", at, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	t.Logf("recommend killed at %d of %d points", len(tried), len(points))
}

// stream puts the activities on Kinesis and returns the answer of each: all its answers must be the same one.
func stream(t *testing.T, k *killer, doomed map[string]point) []string {
	t.Helper()
	p, before := k.platform, k.platform.Mapping.Stats()
	forgetCarts(t, p)
	k.arm(doomed)
	events := put(t, p, activities())
	settled(t, p, before, len(events))
	killed, err := k.report()
	failed := p.Mapping.Stats().FunctionErrors - before.FunctionErrors
	if err != nil || killed != len(doomed) || failed != len(doomed) {
		t.Errorf("%d of %d killed, %d failed, %v", killed, len(doomed), failed, err)
	}
	answers := map[string]string{}
	for _, answer := range delivered(t, p, events) {
		same(t, answers, answer.Recommendation.EventID, strip(t, []byte(answer.text)))
	}
	out := make([]string, len(events))
	for i, event := range events {
		shard, sequence, _ := strings.Cut(event, ":")
		rejection, err := os.ReadFile(p.path("s3", RecommendationsBucket, lake.RejectedKey(shard, sequence)))
		if err == nil {
			same(t, answers, event, strip(t, rejection))
		}
		if out[i] = answers[event]; out[i] == "" {
			t.Errorf("record %d was lost", i)
		}
	}
	return out
}

// forgetCarts empties the trends. A session's cart counts once, so a batch that comes again would write less.
func forgetCarts(t *testing.T, p *Platform) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.Postgres.URLOf(postgres.Superuser, VectorDatabase))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, table := range []string{vectorstore.CartTable, vectorstore.TrendingTable} {
		if _, err := conn.Exec(t.Context(), "truncate "+table); err != nil {
			t.Fatal(err)
		}
	}
}

func same(t *testing.T, answers map[string]string, event, answer string) {
	t.Helper()
	if earlier, repeated := answers[event]; repeated && earlier != answer {
		t.Errorf("%s was answered differently:\n%s\n%s", event, earlier, answer)
	}
	answers[event] = answer
}

// strip takes out the parts that belong to one delivery of a record, and not to its answer.
func strip(t *testing.T, text []byte) string {
	t.Helper()
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	for _, ofDelivery := range []string{"event_id", "arrived_at", "partition_key"} {
		delete(answer, ofDelivery)
	}
	if recommendation, ok := answer["recommendation"].(map[string]any); ok {
		delete(recommendation, "event_id")
		delete(recommendation, "generated_at")
	}
	stripped, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(stripped)
}
