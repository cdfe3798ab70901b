package platform

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/lake"
)

func files(pairs ...string) fstest.MapFS {
	made := fstest.MapFS{"README.md": {Data: []byte("left out")}}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return made
}

func TestAnUploadReplacesAnEarlierOne(t *testing.T) {
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
	whose := func(when string, want HandedOverBy) {
		t.Helper()
		if got, err := c.HandedOver(t.Context()); err != nil || got.Whose != want {
			t.Errorf("%s: handed over by %+v (%v), want %d", when, got, err, want)
		}
	}
	upload := func(files fstest.MapFS) {
		t.Helper()
		if err := c.UploadArtifacts(t.Context(), files); err != nil {
			t.Fatal(err)
		}
	}
	put := func(key, content string) {
		t.Helper()
		if _, err := store.Put(t.Context(), key, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	const model, scaler = "model/best_model.pth", "scalers/user_ohe.pkl"
	own := files(lake.ItemEmbeddingsKey, "a", lake.UserEmbeddingsKey, "b", model, "c")

	whose("an empty bucket", Nobody)
	upload(own)
	whose("a folder", Folder)
	check("a folder", lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, model, lake.SuccessKey)

	put("versions/1/"+model, "c")
	upload(files(lake.ItemEmbeddingsKey, "d", lake.UserEmbeddingsKey, "e", scaler, "f"))
	check("a hand-over without a model", lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, scaler, lake.SuccessKey)
	if _, err := store.Head(t.Context(), "versions/1/"+model); err != nil {
		t.Errorf("a version's model: %v", err)
	}

	put(lake.ItemEmbeddingsKey, "by hand")
	whose("after a hand-over by hand", Other)
	upload(own)
	whose("after --artifacts over it", Folder)

	// An upload that was killed half-way is no hand-over.
	if _, err := store.PutJSON(t.Context(), uploadedKey, uploadNote{From: "folder"}); err != nil {
		t.Fatal(err)
	}
	put(lake.ItemEmbeddingsKey, "half")
	whose("after half an upload", Nobody)

	if err := c.UploadArtifacts(t.Context(), files()); err == nil {
		t.Error("a folder without artifacts was handed over")
	}
	check("after nothing", lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, model, lake.SuccessKey)
}
