package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func TestHandle(t *testing.T) {
	server := server(t)
	t.Run("no artifacts", func(t *testing.T) {
		b := setup(t, server)
		b.put(b.Artifacts, lake.ItemEmbeddingsKey, "half a hand-over")
		if out := b.upload(b.run()); out != (workflow.Uploaded{Status: "no-artifacts"}) {
			t.Errorf("got %+v", out)
		}
	})
	t.Run("a bucket that is not there", func(t *testing.T) {
		b := setup(t, server)
		b.Must(os.Remove(b.S3.Path("artifacts", "")))
		if out, err := b.Handle(t.Context(), b.run()); !errors.Is(err, failure.ObjectStoreUnavailable) {
			t.Errorf("got %+v, %v", out, err)
		}
	})
	t.Run("a hand-over under way", func(t *testing.T) { testUnderway(t, setup(t, server)) })
	t.Run("two attempts of one run", func(t *testing.T) { testAttempts(t, setup(t, server)) })
	t.Run("counts that the database cannot hold", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.publish("s1", noon, lake.ItemCount{Item: "S10_1678", Group: "Fra\x00nce", Count: 2},
			lake.ItemCount{Item: "S10_1678", Group: strings.Repeat("Llan", 3000), Count: 2}, lake.ItemCount{Item: "S10_1949", Group: "USA", Count: 3})
		b.upload(b.run())
		if rows := b.dump(1)[5:]; !slices.Equal(rows, []string{`("",S10_1678,0)`, `("",S10_1949,3)`, `("",S72_3212,0)`, "(usa,S10_1949,3)"}) {
			t.Errorf("got %v", rows)
		}
	})
	t.Run("a run tried again has the same version", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.publish("s1", noon, lake.ItemCount{Item: "S10_1678", Group: " USA ", Count: 2},
			lake.ItemCount{Item: "S10_1678", Group: "usa", Count: 3}, lake.ItemCount{Item: "S10_1678", Group: "France", Count: 4},
			lake.ItemCount{Item: "S72_3212", Group: "", Count: 1})
		run := b.run()
		want := workflow.Uploaded{Status: "uploaded", Version: 1, Dimension: 2, Items: 3, Users: 2, Compared: nothingCompared}
		if out := b.upload(run); out != want {
			t.Errorf("got %+v, want %+v", out, want)
		}
		rows := []string{`(S10_1678,"[1,0]")`, `(S10_1949,"[0.5,0.5]")`, `(S72_3212,"[0,1]")`, `(103,"[1,0]")`, `(112,"[0,1]")`,
			`("",S10_1678,9)`, `("",S10_1949,0)`, `("",S72_3212,1)`, `(france,S10_1678,4)`, `(usa,S10_1678,5)`}
		if got := b.dump(1); !slices.Equal(got, rows) {
			t.Errorf("got %v, want %v", got, rows)
		}
		if out := b.upload(run); out != want {
			t.Errorf("again: got %+v, want %+v", out, want)
		}
		b.activate(1)
		if out := b.upload(run); out != want {
			t.Errorf("after it was activated: got %+v, want %+v", out, want)
		}
	})
	t.Run("an interrupted load starts clean", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		run := b.run()
		b.onCopy(func() error { return errors.New("the function dies") })
		if _, err := b.Handle(t.Context(), run); !errors.Is(err, failure.ObjectStoreUnavailable) {
			t.Fatalf("got %v", err)
		}
		b.onCopy(func() error { return nil })
		if out := b.upload(run); out.Version != 1 || b.status(1) != vectorstore.Loaded {
			t.Errorf("got %+v, %s", out, b.status(1))
		}
	})
	t.Run("unchanged artifacts refresh the popularity", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.activate(b.upload(b.run()).Version)
		for _, newest := range []struct {
			snapshot string
			of       time.Time
			want     string
		}{{"s2", noon.Add(time.Hour), "(france,S10_1949,7)"}, {"s1", noon, "(france,S10_1949,7)"}, {"s3", noon.Add(2 * time.Hour), "(france,S10_1949,9)"}} {
			count := map[string]int64{"s1": 5, "s2": 7, "s3": 9}[newest.snapshot]
			b.publish(newest.snapshot, newest.of, lake.ItemCount{Item: "S10_1949", Group: "France", Count: float64(count)})
			out := b.upload(b.run())
			if want := (workflow.Uploaded{Status: "unchanged", Version: 1, Dimension: 2, Items: 3, Users: 2, Compared: nothingCompared}); out != want {
				t.Errorf("got %+v, want %+v", out, want)
			}
			if rows := b.dump(1); rows[len(rows)-1] != newest.want {
				t.Errorf("after %s: %v, want %s", newest.snapshot, rows, newest.want)
			}
		}
	})
	t.Run("who rated what, lines and stock are of the newest snapshot", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.publishRows("s1", [][]trainingtest.Row{
			{{CustomerNumber: 103, ProductCode: "S10_1678"}, {CustomerNumber: 103, ProductCode: "S72_3212"}, {CustomerNumber: 103, ProductCode: "S72_3212"}}, {},
			{{CustomerNumber: 112, ProductCode: "S10_1949"}},
		}, training.CatalogueRow{ProductCode: "S10_1678", ProductLine: "Ships", QuantityInStock: 3}, training.CatalogueRow{ProductCode: "unrated", QuantityInStock: 1})
		b.publish("s1", noon)
		b.activate(b.upload(b.run()).Version)
		want := []string{"(103,S10_1678)", "(103,S72_3212)", "(112,S10_1949)", "(S10_1678,Ships,3)", `(unrated,"",1)`}
		if got := b.dumpShop(1); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		b.publishRows("s2", [][]trainingtest.Row{{{CustomerNumber: 103, ProductCode: "S72_3212"}, {CustomerNumber: 104, ProductCode: "S72_3212"}}},
			training.CatalogueRow{ProductCode: "S10_1678", ProductLine: "Ships"})
		b.publish("s2", noon.Add(time.Hour))
		b.upload(b.run())
		want = []string{"(103,S72_3212)", "(104,S72_3212)", "(S10_1678,Ships,0)"}
		if got := b.dumpShop(1); !slices.Equal(got, want) {
			t.Errorf("refreshed: got %v, want %v", got, want)
		}
		_, err := b.DB.Exec(t.Context(), `drop table `+vectorstore.RatedTable(1)+`, `+vectorstore.AttributeTable(1))
		b.Must(err)
		b.upload(b.run())
		if got := b.dumpShop(1); !slices.Equal(got, want) {
			t.Errorf("of an earlier release: got %v, want %v", got, want)
		}
	})
	t.Run("without artifacts the active version is refreshed", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.activate(b.upload(b.run()).Version)
		b.Must(os.Remove(b.S3.Path("artifacts", lake.SuccessKey)))
		b.publish("s1", noon, lake.ItemCount{Item: "S10_1949", Group: "France", Count: 5})
		if out := b.upload(b.run()); out.Status != "no-artifacts" {
			t.Errorf("got %+v", out)
		}
		if rows := b.dump(1); !slices.Contains(rows, "(france,S10_1949,5)") {
			t.Errorf("got %v", rows)
		}
	})
	t.Run("what was rolled back does not come back", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.activate(b.upload(b.run()).Version)
		b.handOver(embeddingsOf(csv("bad", "[1,1]"), goodUsers))
		b.activate(b.upload(b.run()).Version)
		if _, err := vectorstore.Rollback(t.Context(), b.DB, "rollback"); err != nil {
			t.Fatal(err)
		}
		if out := b.upload(b.run()); out != (workflow.Uploaded{Status: "rolled-back", Version: 2}) {
			t.Errorf("got %+v", out)
		}
		b.handOver(embeddingsOf(csv("good", "[1,1]"), goodUsers))
		if out := b.upload(b.run()); out.Status != "uploaded" || out.Version != 3 {
			t.Errorf("got %+v", out)
		}
	})
	t.Run("what the run has trained", func(t *testing.T) { testTrained(t, setup(t, server)) })
	t.Run("neighbours of a training", func(t *testing.T) { testTrainedWithNeighbours(t, setup(t, server)) })
	t.Run("another metric is another version", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.activate(b.upload(b.run()).Version)
		b.Metric = distance.L2
		if out := b.upload(b.run()); out.Status != "uploaded" || out.Version != 2 {
			t.Errorf("got %+v", out)
		}
	})
	t.Run("an artifact overwritten meanwhile", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		var once sync.Once
		b.onCopy(func() error {
			once.Do(func() { b.handOver(embeddingsOf(csv("S1", "[1,0]"), csv("1", "[0,1]"))) })
			return nil
		})
		run := b.run()
		if _, err := b.Handle(t.Context(), run); !errors.Is(err, failure.HandOverUnderway) {
			t.Fatalf("got %v", err)
		}
		if out := b.upload(run); out.Version != 1 || out.Items != 1 {
			t.Errorf("got %+v", out)
		}
	})
	t.Run("the originals may go once they are copied", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.upload(b.run())
		content, _, err := b.Artifacts.Get(t.Context(), lake.VersionKey(1, lake.ItemEmbeddingsKey), 1000)
		if err != nil || string(content) != goodItems {
			t.Errorf("got %q, %v", content, err)
		}
	})
	t.Run("the database is away", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		var err error
		b.DB, err = vectorstore.Connect(t.Context(), vectorstore.Config{VectorStore: settings.VectorStore{URL: "postgres://nobody@127.0.0.1:1/none"}})
		b.Must(err)
		t.Cleanup(b.DB.Close)
		if _, err := b.Handle(t.Context(), b.run()); !errors.Is(err, failure.VectorStoreUnavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the reader may read", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.activate(b.upload(b.run()).Version)
		var items int
		err := b.Pool(vectorstore.ReaderRole).QueryRow(t.Context(), `select count(*) from item_emb`).Scan(&items)
		if err != nil || items != 3 {
			t.Errorf("got %d, %v", items, err)
		}
	})
	t.Run("reference artifacts", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(referenceArtifacts(t))
		want := workflow.Uploaded{Status: "uploaded", Version: 1, Dimension: 32, Items: 109, Users: 98, Compared: nothingCompared}
		if out := b.upload(b.run()); out != want {
			t.Errorf("got %+v, want %+v", out, want)
		}
	})
	t.Run("refused artifacts", func(t *testing.T) { testRefused(t, setup(t, server)) })
	t.Run("refused models", func(t *testing.T) { testRefusedModels(t, setup(t, server)) })
}

// testRefused hands over bad files, over an active version that must stay as it is.
func testRefused(t *testing.T, b *bench) {
	b.handOver(embeddingsOf(goodItems, goodUsers))
	b.activate(b.upload(b.run()).Version)
	before := b.dump(1)
	for _, test := range []struct {
		name, items, users string
		want               []string
	}{
		{"dimension within a file", csv("a", "[1,0]", "b", "[1,0,1]"), goodUsers, []string{lake.ItemEmbeddingsKey + " line 3: 3 numbers"}},
		{"dimension between the files", goodItems, csv("1", "[1]"), []string{lake.UserEmbeddingsKey + " line 2: 1 numbers"}},
		{"NaN", csv("a", "[1,nan]"), goodUsers, []string{"1 bad line:", "line 2: number 2 is not finite"}},
		{"zeros", csv("a", "[0,0]", "b", "[1,0]"), goodUsers, []string{"line 2: all numbers are zero"}},
		{"repeated ids", csv("a", "[1,0]", "a", "[1,0]"), csv("1", "[1,0]", "2", "[1,0]", "1", "[0,1]"),
			[]string{"line 3: id a stands in line 2 already", lake.UserEmbeddingsKey + " line 4: id 1 stands in line 2 already"}},
		{"unterminated quote", csv("a", "[1,0]") + `b,"[1,`, goodUsers, []string{"line 3: unterminated quote"}},
		{"empty file", goodItems, "", []string{lake.UserEmbeddingsKey + " line 1: the file is empty"}},
		{"header alone", goodItems, "id,embedding\n", []string{"there is no embedding"}},
		{"many", csv("a", "[1,0]") + strings.Repeat("x\n", 30), goodUsers, []string{"30 bad lines", "line 21: one field", "and 10 more"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.handOver(embeddingsOf(test.items, test.users))
			run := b.run()
			_, err := b.Handle(t.Context(), run)
			if !errors.Is(err, failure.InvalidEmbeddings) {
				t.Fatalf("got %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
			record, _, err := vectorstore.OfRun(t.Context(), b.DB, run.ID)
			if err != nil || record.Status != vectorstore.Failed {
				t.Errorf("the version is %s, %v", record.Status, err)
			}
			b.leaves("versions/1/")
			if active, _, _ := vectorstore.ReadActive(t.Context(), b.DB); active.Version != 1 || !slices.Equal(b.dump(1), before) {
				t.Errorf("the active version changed: %+v", active)
			}
		})
	}
}

// testUnderway runs while the files of the next hand-over arrive: their _SUCCESS will start a run of its own.
func testUnderway(t *testing.T, b *bench) {
	b.handOver(embeddingsOf(goodItems, goodUsers))
	b.activate(b.upload(b.run()).Version)
	arrives := func(users string) func() error {
		return func() error {
			b.put(b.Artifacts, lake.UserEmbeddingsKey, users)
			earlier := time.Now().Add(-time.Hour)
			return os.Chtimes(b.S3.Path("artifacts", lake.SuccessKey), earlier, earlier)
		}
	}
	b.Must(arrives(csv("1", "[1,0]"))())
	if out := b.upload(b.run()); out != (workflow.Uploaded{Status: "hand-over-underway"}) {
		t.Errorf("got %+v", out)
	}
	b.Must(os.Remove(b.S3.Path("artifacts", lake.ItemEmbeddingsKey))) // to be replaced
	if out := b.upload(b.run()); out.Status != "hand-over-underway" {
		t.Errorf("got %+v", out)
	}

	// It begins while a run copies: tried again, the run leaves nothing.
	b.handOver(embeddingsOf(csv("S1", "[1,0]"), goodUsers))
	var once sync.Once
	b.onCopy(func() (err error) {
		once.Do(func() { err = arrives(csv("2", "[0,1]"))() })
		return err
	})
	run := b.run()
	if _, err := b.Handle(t.Context(), run); !errors.Is(err, failure.HandOverUnderway) {
		t.Fatalf("got %v", err)
	}
	if out := b.upload(run); out.Status != "hand-over-underway" || b.status(2) != vectorstore.Failed {
		t.Errorf("got %+v, version 2 is %s", out, b.status(2))
	}
	b.leaves("versions/1/")
}

// testAttempts has a first attempt that lost its caller and is at work still while a second one has begun: files
// were handed over anew between them.
func testAttempts(t *testing.T, b *bench) {
	run := b.run()
	attempt := func(items, users string) (int64, handOver, copies) {
		b.handOver(embeddingsOf(items, users))
		found, _, err := look(t.Context(), b.Artifacts)
		b.Must(err)
		version, err := vectorstore.Allocate(t.Context(), b.DB, run.ID, b.Metric, found.etags(), false)
		b.Must(err)
		copied, err := found.copyTo(t.Context(), b.Artifacts, version)
		b.Must(err)
		return version, found, copied
	}
	loads := func(of handOver, copied copies) {
		t.Helper()
		if got, err := load(t.Context(), b.DB, copied, of, b.Metric, &comparison{}, vectorstore.Snapshot{}); !errors.Is(err, failure.Overtaken) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	version, first, copied := attempt(goodItems, goodUsers)
	_, second, _ := attempt(csv("S1", "[1,0]"), csv("1", "[0,1]"))
	loads(first, copied) // its copies are gone
	allocate := func(of handOver) {
		_, err := vectorstore.Allocate(t.Context(), b.DB, run.ID, b.Metric, of.etags(), false)
		b.Must(err)
	}
	allocate(first) // by a third attempt, which found the old files back in place and has not yet copied them
	loads(first, copied)
	allocate(second)
	b.Must(b.fail(t.Context(), version, first.etags(), "stale"))
	if b.status(version) != vectorstore.Loading {
		t.Errorf("the first attempt's failure made the second's version %s", b.status(version))
	}
	original := func(key, content string) {
		b.put(b.Artifacts, lake.VersionKey(version, key), content)
	}
	original(lake.ItemEmbeddingsKey, goodItems) // the second has not yet copied them
	original(lake.UserEmbeddingsKey, goodUsers)
	loads(first, copied)
	if out := b.upload(run); out.Version != version || out.Items != 1 || out.Users != 1 {
		t.Errorf("got %+v", out)
	}
	loads(first, copied)
}

func testRefusedModels(t *testing.T, b *bench) {
	artifacts := referenceArtifacts(t)
	for _, test := range []struct {
		name, key, content, want string
	}{
		{"missing scaler", lake.UserScalerKey, "", lake.UserScalerKey + " is missing"},
		{"not a model", lake.ModelKey, "<html>", lake.ModelKey},
		{"another dimension", lake.ItemEmbeddingsKey, goodItems, "dimension 32"},
		{"missing embeddings", lake.ItemEmbeddingsKey, "", lake.ItemEmbeddingsKey + " is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.handOver(artifacts)
			b.put(b.Artifacts, test.key, test.content)
			if test.content == "" {
				b.Must(os.Remove(b.S3.Path("artifacts", test.key)))
			}
			b.put(b.Artifacts, lake.SuccessKey, "")
			_, err := b.Handle(t.Context(), b.run())
			if !errors.Is(err, failure.InvalidEmbeddings) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want InvalidEmbeddings with %q", err, test.want)
			}
		})
	}
}

func TestEventIsARun(t *testing.T) {
	if run := testbed.Event[workflow.UploadInput](t); run.Validate() != nil {
		t.Errorf("%+v: %v", run, run.Validate())
	}
	if _, err := new(Handler).Handle(t.Context(), workflow.UploadInput{Run: workflow.Run{ID: "../etc"}}); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("got %v", err)
	}
}

// An answer that breaks off while the popularity is read is the store's fault, and named so.
func TestPopularityBreaksOff(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"items":[{"item":"S1","country":"USA","count":1},`)
	}))
	t.Cleanup(broken.Close)
	t.Setenv("AWS_ENDPOINT_URL_S3", broken.URL)
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	client, err := objectstore.NewClient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts, err := countsOf(t.Context(), objectstore.New(client, "lake"), lake.Latest{Snapshot: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	defer counts.Close()
	rows := 0
	for counts.Next() {
		rows++
	}
	if rows != 1 || !errors.Is(counts.Err(), failure.ObjectStoreUnavailable) {
		t.Errorf("%d rows, %v", rows, counts.Err())
	}
}
