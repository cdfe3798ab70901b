package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"recsys/infra/local/testbed/pgwire"
	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/model"
)

const sampleArtifacts = "../../infra/local/sample/artifacts"

// smallModel is a folder with a model of 3 dimensions, out of the fixtures of package model.
func smallModel(t *testing.T) string {
	t.Helper()
	packed, err := os.Open("../../shared/learn/model/testdata/fixtures.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	names := map[string]string{"bare.pth": lake.ModelKey, "ohe_protocol4.pkl": lake.UserOneHotKey, "std_protocol4.pkl": lake.UserScalerKey}
	archive := tar.NewReader(unpacked)
	for found := 0; found < len(names); {
		header, err := archive.Next()
		if err != nil {
			t.Fatal(err)
		}
		name, wanted := names[header.Name]
		if !wanted {
			continue
		}
		found++
		content, err := io.ReadAll(archive)
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755), os.WriteFile(filepath.Join(dir, name), content, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readModel(t *testing.T, dir string) *model.Model {
	t.Helper()
	read := func(key string) []byte {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(key)))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	m, err := model.Read(model.Files{Model: read(lake.ModelKey), UserOneHot: read(lake.UserOneHotKey), UserScaler: read(lake.UserScalerKey)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSwapUnderLoad: versions of 32 and of 3 dimensions take turns. Each is dropped with its artifacts as soon as the
// next is active, which is sooner than vector-index does. The trends, which belong to no version, change with every
// batch. In any case each answer belongs to one version: its items, by the vector of its own model.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.handler = w.newHandler(w.readerURL, w.client, func(s *settings.Ranking) { s.TrendingItems = true })
	kinds := []version{
		{Items: prefixed("a", versiontest.Circle(200, 32)), Model: sampleArtifacts},
		{Items: prefixed("b", versiontest.Circle(300, 3)), Model: smallModel(t)},
	}
	user := model.Record{Texts: []string{"Paris", "France"}, Numbers: []float64{43_400.5}}
	var vectors [2][]float32
	for i := range kinds {
		vector, err := readModel(t, kinds[i].Model).UserEmbedding(user)
		if err != nil {
			t.Fatal(err)
		}
		mean := kinds[i].Items[[]string{"a-", "b-"}[i]+"item-007"]
		vectors[i] = blended(vector, mean, w.handler.answers.Options.SessionWeight)
	}
	payload := fmt.Sprintf(`{"customer_number":1,"city":%q,"country":%q,"credit_limit":%v,"browse_history":[{"product_code":"a-item-007","in_shopping_cart":true},{"product_code":"b-item-007","in_shopping_cart":true}]}`,
		user.Texts[0], user.Texts[1], user.Numbers[0])
	watching := `{"customer_number":2,"browse_history":[{"product_code":"a-item-001"},{"product_code":"b-item-001"}]}`
	payloads := []string{payload, payload, payload, watching}

	kindOf := map[int64]int{w.load(kinds[0]): 0}
	if w.handle(payloads...) != "" {
		t.Fatal("not done before the load")
	}
	var swapped atomic.Bool
	var batches atomic.Int64
	var failed atomic.Pointer[string]
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for !swapped.Load() {
			response, err := w.handler.Handle(t.Context(), batch(payloads...))
			if err != nil || len(response.BatchItemFailures) > 0 {
				reason := fmt.Sprintf("batch %d: %v, %v", batches.Load(), response.BatchItemFailures, err)
				failed.Store(&reason)
				return
			}
			batches.Add(1)
		}
	}()
	for i := 1; i <= 12; i++ {
		number := w.load(kinds[i%2])
		kindOf[number] = i % 2
		w.drop(number - 1)
		_, err := w.artifacts.DeletePrefix(t.Context(), fmt.Sprintf("versions/%d/", number-1))
		w.Must(err)
	}
	swapped.Store(true)
	<-stopped
	if reason := failed.Load(); reason != nil {
		t.Fatal(*reason)
	}

	outputs := w.delivered()
	met, trending := map[int64]int{}, 0
	for _, o := range outputs {
		number := o.Recommendation.ModelVersion
		kind, known := kindOf[number]
		if !known {
			t.Fatalf("an answer of version %d", number)
		}
		met[number]++
		prefix := []string{"a-", "b-"}[kind]
		if o.Similar.ProductCode == nil || !strings.HasPrefix(*o.Similar.ProductCode, prefix) || !strings.HasPrefix(o.Similar.Items[0].ID, prefix) {
			t.Fatalf("version %d: similar %+v", number, o.Similar)
		}
		if *o.Similar.ProductCode == prefix+"item-001" { // the watching visitor sees the carts of the others
			if len(o.Trending) > 1 || len(o.Trending) == 1 && o.Trending[0].ID != prefix+"item-007" {
				t.Fatalf("version %d: trending %+v", number, o.Trending)
			}
			trending += len(o.Trending)
			continue
		}
		if o.Recommendation.Strategy != "model" || len(o.Recommended) != 5 {
			t.Fatalf("version %d: %s with %d items", number, o.Recommendation.Strategy, len(o.Recommended))
		}
		for _, item := range o.Recommended {
			if want := cosine(vectors[kind], kinds[kind].Items[item.ID]); math.Abs(item.Score-want) > 1e-5 {
				t.Fatalf("version %d: score %v of %s, want %v", number, item.Score, item.ID, want)
			}
		}
	}
	t.Logf("%d batches, versions met: %v", batches.Load(), met)
	if len(met) < 3 || trending == 0 {
		t.Errorf("only the versions %v were met, and %d trending items", met, trending)
	}
}

func prefixed(prefix string, items map[string][]float32) map[string][]float32 {
	named := map[string][]float32{}
	for id, vector := range items {
		named[prefix+"-"+id] = vector
	}
	return named
}

// blended is a customer's vector that a session moves by a weight.
func blended(own, session []float32, weight float64) []float32 {
	length := func(v []float32) float64 {
		sum := 0.0
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		return math.Sqrt(sum)
	}
	blend := make([]float32, len(own))
	for i := range own {
		blend[i] = float32((1-weight)*float64(own[i]) + weight*length(own)/length(session)*float64(session[i]))
	}
	return blend
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range b {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}

// TestRollback: the version before answers with its own model, which need not be read again.
func TestRollback(t *testing.T) {
	w := setup(t)
	payload := `{"customer_number":1,"city":"Paris","country":"France","credit_limit":5}`
	first := w.load(version{Items: prefixed("a", versiontest.Circle(50, 32)), Model: sampleArtifacts})
	w.handle(payload)
	w.load(version{Items: prefixed("b", versiontest.Circle(50, 3)), Model: smallModel(t)})
	w.handle(payload)
	_, err := w.artifacts.DeletePrefix(t.Context(), "versions/")
	w.Must(err)
	w.activate(first)
	w.handle(payload)
	var strategies []string
	for _, o := range w.delivered() {
		strategies = append(strategies, o.Recommendation.Strategy+o.Recommended[0].ID[:1])
	}
	if got := strings.Join(strategies, " "); got != "modela modelb modela" {
		t.Error(got)
	}
}

// TestExtremeFeatures: no number in a record makes the database refuse the batch.
func TestExtremeFeatures(t *testing.T) {
	w := setup(t)
	w.load(version{Items: versiontest.Circle(50, 32), Model: sampleArtifacts, Popularity: versiontest.Popularity})
	var payloads []string
	for _, limit := range []string{"1e308", "-1e308", "1e39", "1e400", `"NaN"`, `"Infinity"`, "0", "1e-320"} {
		payloads = append(payloads, fmt.Sprintf(`{"customer_number":9223372036854775807,"city":"","country":"","credit_limit":%s}`, limit))
	}
	if notDone := w.handle(payloads...); notDone != "" {
		t.Fatalf("not done from %s", notDone)
	}
	for i, o := range w.delivered() {
		if len(o.Recommended) != 5 {
			t.Errorf("%s: %d items by %s", payloads[i], len(o.Recommended), o.Recommendation.Strategy)
		}
	}
}

// TestUnreadableModel: embedding-upload lets none through. If one is there all the same, the shard goes on.
func TestUnreadableModel(t *testing.T) {
	w := setup(t)
	v := versiontest.Small() // dimension 4
	v.Model = sampleArtifacts
	number := w.load(v)
	w.handle(`{"session_id":"another dimension","customer_number":103,"city":"Paris","country":"France","credit_limit":5}`)
	w.load(v)
	_, err := w.artifacts.DeletePrefix(t.Context(), fmt.Sprintf("versions/%d/", number+1))
	w.Must(err)
	w.handle(`{"session_id":"absent","customer_number":103,"city":"Paris","country":"France","credit_limit":5}`)
	for _, o := range w.delivered() {
		if o.Recommendation.Strategy != "stored-vector" {
			t.Errorf("%s: %s", o.SessionID, o.Recommendation.Strategy)
		}
	}
}

// TestRoundTrips counts them on the wire, the same for one record and for a thousand of all kinds. It is one to read
// the version, one to ask it, and one for the carts. By the index it is two at the same time to ask it, if there are products. The
// first batch of a version prepares its statements in one more each.
func TestRoundTrips(t *testing.T) {
	t.Run("in memory", func(t *testing.T) { testRoundTrips(t, 5, 3, 1) })
	t.Run("by the index", func(t *testing.T) { testRoundTrips(t, 7, 4, 2, byIndex) })
}

// testRoundTrips wants so many round trips with another version's first batch and with later ones, on so many connections.
func testRoundTrips(t *testing.T, first, later, connections int64, change ...func(*settings.Ranking)) {
	t.Parallel()
	w := setup(t)
	proxy, err := pgwire.Start(t.Context(), w.readerURL)
	w.Must(err)
	t.Cleanup(func() { proxy.Close() })
	url, err := proxy.URL(w.readerURL)
	w.Must(err)
	handler := w.newHandler(url, accepting{}, change...)
	count := func(payloads []string) int64 {
		t.Helper()
		before := proxy.RoundTrips()
		response, err := handler.Handle(t.Context(), batch(payloads...))
		if err != nil || len(response.BatchItemFailures) > 0 {
			t.Fatal("not done", err)
		}
		return proxy.RoundTrips() - before
	}
	thousand := append(sessions(700), numbered(1000)[700:]...)
	thousand[7], thousand[500] = "not json", `{"session_id":"nothing known"}`
	for range 2 {
		w.load(version{Items: versiontest.Circle(2000, 32), Users: versiontest.ManyUsers(500), Popularity: versiontest.Popularity, Model: sampleArtifacts})
		connects := proxy.Connections() == 0 // and asks for the types
		if trips := count(thousand[:1]); trips != first && !connects {
			t.Errorf("another version's first batch: %d round trips, want %d", trips, first)
		}
		for _, batch := range []struct {
			payloads []string
			want     int64
		}{{thousand[:1], later}, {thousand, later}, {thousand[999:], 2}} {
			if trips := count(batch.payloads); trips != batch.want {
				t.Errorf("%d records: %d round trips, want %d", len(batch.payloads), trips, batch.want)
			}
		}
	}
	if trips := count([]string{"not json"}); trips != 0 {
		t.Errorf("nothing to answer: %d round trips", trips)
	}
	if n := proxy.Connections(); n != connections {
		t.Errorf("%d connections, want %d", n, connections)
	}
	var statements, custom int
	w.Must(w.pool.QueryRow(t.Context(), `select count(*), sum(custom_plans) from pg_prepared_statements`).Scan(&statements, &custom))
	if statements == 0 || statements > 20 || custom > 0 {
		t.Errorf("%d statements are prepared, %d times planned anew", statements, custom)
	}
}
