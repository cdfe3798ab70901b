package platform

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"recsys/infra/local/s3/s3test"
	"recsys/shared/lake"
)

func files(pairs ...string) fstest.MapFS {
	made := fstest.MapFS{"README.md": {Data: []byte("left out")}}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return made
}

func TestWhatIsUploadedAndWhatStays(t *testing.T) {
	store, server := s3test.ForTest(t, ArtifactsBucket)
	cfg, err := clientConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Endpoints: Endpoints{S3: server.URL()}}
	c.connectS3(cfg)
	check := func(when string, want ...string) {
		t.Helper()
		there, err := listArtifacts(t.Context(), store)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(there)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	offer := func(when string, files fstest.MapFS, want bool) {
		t.Helper()
		if uploaded, err := c.OfferArtifacts(t.Context(), files); err != nil || uploaded != want {
			t.Errorf("%s: uploaded %t (%v), want %t", when, uploaded, err, want)
		}
	}
	put := func(key, content string) {
		t.Helper()
		if _, err := store.Put(t.Context(), key, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	const model, scaler = "model/best_model.pth", "scalers/user_ohe.pkl"
	sample := files(lake.ItemEmbeddingsKey, "a", lake.UserEmbeddingsKey, "b", model, "c")

	offer("an empty bucket", sample, true)
	check("an empty bucket", lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, model, lake.SuccessKey)
	offer("the sample again", sample, true)

	put("versions/1/"+model, "c")
	if err := c.UploadArtifacts(t.Context(), files(lake.ItemEmbeddingsKey, "d", lake.UserEmbeddingsKey, "e", scaler, "f")); err != nil {
		t.Fatal(err)
	}
	check("a hand-over without a model", lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, scaler, lake.SuccessKey)
	if _, err := store.Head(t.Context(), "versions/1/"+model); err != nil {
		t.Errorf("a version's model: %v", err)
	}
	offer("after --artifacts", sample, true)
	check("after --artifacts", lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, model, lake.SuccessKey)

	put(lake.ItemEmbeddingsKey, "by hand")
	offer("after a hand-over by hand", sample, false)
	if content, _, err := store.Get(t.Context(), lake.ItemEmbeddingsKey, 100); err != nil || string(content) != "by hand" {
		t.Errorf("the hand-over by hand became %q (%v)", content, err)
	}
	if err := c.UploadArtifacts(t.Context(), sample); err != nil {
		t.Fatal(err)
	}
	offer("after --artifacts over it", sample, true)

	// An upload that was killed half-way is no hand-over.
	if _, err := store.PutJSON(t.Context(), uploadedKey, nil); err != nil {
		t.Fatal(err)
	}
	put(lake.ItemEmbeddingsKey, "half")
	offer("after half an upload", sample, true)

	if err := c.UploadArtifacts(t.Context(), files()); err == nil {
		t.Error("a folder without artifacts was handed over")
	}
	check("after nothing", lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, model, lake.SuccessKey)
}
