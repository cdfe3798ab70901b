package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/vectorstore"
)

// nothingCompared is the note of an upload without a whole snapshot.
var nothingCompared = workflow.Compared{Note: "Nothing was compared with the shop: it has no whole snapshot yet."}

// publishShop publishes a whole snapshot: rated products, and a catalogue of them and of others.
func (b *bench) publishShop(rows []trainingtest.Row, others ...string) {
	b.Helper()
	var products []training.CatalogueRow
	codes := others
	for _, row := range rows {
		codes = append(codes, row.ProductCode)
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		products = append(products, training.CatalogueRow{ProductCode: code, QuantityInStock: 1})
	}
	b.publishRows("s1", [][]trainingtest.Row{rows}, products...)
	_, err := b.Lake.PutJSON(b.Context(), lake.ManifestKey("s1"), lake.Manifest{Snapshot: "s1", Ranges: 1, Rows: int64(len(rows))})
	b.Must(err)
	b.publish("s1", noon)
}

func ratings(customer int32, codes ...string) (rows []trainingtest.Row) {
	for _, code := range codes {
		rows = append(rows, trainingtest.Row{CustomerNumber: customer, ProductCode: code, ProductRating: 4})
	}
	return rows
}

// refuses wants InvalidEmbeddings with these words.
func (b *bench) refuses(artifacts map[string]string, words ...string) {
	b.Helper()
	b.handOver(artifacts)
	out, err := b.Handle(b.Context(), b.run())
	if !errors.Is(err, failure.InvalidEmbeddings) {
		b.Errorf("got %+v, %v; want InvalidEmbeddings", out, err)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			b.Errorf("the error does not say %q:\n%v", word, err)
		}
	}
}

// compares wants the hand-over loaded, and compared like this.
func (b *bench) compares(artifacts map[string]string, want workflow.Compared) {
	b.Helper()
	b.handOver(artifacts)
	run := b.run()
	out := b.upload(run)
	if out.Status != "uploaded" || out.Compared != want {
		b.Errorf("got %+v\nwant %+v", out, want)
	}
	if again := b.upload(run); again != out {
		b.Errorf("tried again: %+v, want %+v", again, out)
	}
}

func TestHandOversAreComparedWithTheShop(t *testing.T) {
	server := server(t)
	t.Run("ids that lost their zeros", func(t *testing.T) {
		b := setup(t, server)
		b.publishShop(ratings(7, "0001", "0002"), "0010", "0011")
		b.refuses(embeddingsOf(csv("1", "[1,0]", "2", "[0,1]", "10", "[1,1]"), csv("7", "[1,0]")),
			"none of the 3 ids of embeddings/item_embeddings.csv is a product of the shop", `The file has "1", "2", "10", the shop "0001", "0002", "0010"`, "lose leading zeros")
	})
	t.Run("ids of products and customers", func(t *testing.T) { testIDs(t, setup(t, server)) })
	t.Run("a snapshot without a manifest is not whole", func(t *testing.T) {
		b := setup(t, server)
		b.publish("s1", noon)
		b.compares(embeddingsOf(goodItems, goodUsers), nothingCompared)
	})
	t.Run("products of bad rows are in the shop", func(t *testing.T) { testProductsOfBadRows(t, setup(t, server)) })
	t.Run("a list of products of an earlier release", func(t *testing.T) { testEarlierList(t, setup(t, server)) })
	t.Run("a model as safetensors", func(t *testing.T) { testSafetensors(t, setup(t, server)) })
	t.Run("a model and its vectors", func(t *testing.T) { testModelCheck(t, setup(t, server)) })
}

func testIDs(t *testing.T, b *bench) {
	b.publishShop(slices.Concat(ratings(7, "A1"), ratings(9, "A1", "A2")), "B1", "b1")
	theirs := csv("7", "[1,0]", "9", "[0,1]")
	b.compares(embeddingsOf(csv("a1", "[1,0]", "A2", "[0,1]", "b1", "[1,1]", "gone", "[2,1]", "B2", "[1,3]"), csv("7", "[1,0]", "8", "[0,1]", "-1", "[1,1]")),
		workflow.Compared{UnknownItems: 2, UnknownUsers: 2, Note: `2 of 5 items are no products of the shop and are never recommended, such as "gone", "B2". ` +
			`2 of 3 users have rated nothing in the newest snapshot.`})
	if got, want := b.rows(vectorstore.ItemTable(1)), []string{`(A1,"[1,0]")`, `(A2,"[0,1]")`, `(B2,"[1,3]")`, `(b1,"[1,1]")`, `(gone,"[2,1]")`}; !slices.Equal(got, want) {
		t.Errorf("loaded as %v, want the shop's spelling: %v", got, want)
	}
	b.compares(embeddingsOf(csv("A1", "[1,0]", "A2", "[0,1]"), theirs), workflow.Compared{})
	b.refuses(embeddingsOf(csv("x1", "[1,0]"), theirs), `The file has "x1", the shop "A1", "A2", "B1". Write the ids`)
	b.refuses(embeddingsOf(csv("A1", "[1,0]", "a1", "[0,1]"), theirs), `names the product "A1" twice, as "a1" and "A1"`)
	b.refuses(embeddingsOf(csv("a1", "[1,0]", "A2", "[1,1]", "A1", "[0,1]"), theirs), `names the product "A1" twice, as "A1" and "a1"`)
	b.refuses(embeddingsOf(csv("A1", "[1,0]"), csv("0", "[1,0]", "1", "[0,1]")), "none of the 2 ids of embeddings/user_embeddings.csv", "The file has 0 to 1, the shop 7 to 9")
	b.refuses(embeddingsOf(csv("1", "[1,0]", "2", "[1]"), csv("7", "[nan,1]")), "item_embeddings.csv line 3", "user_embeddings.csv line 2")
}

func testProductsOfBadRows(t *testing.T, b *bench) {
	theirs := csv("7", "[1,0]")
	b.publishShop(ratings(7, "A1"))
	putParquet(b, lake.ProductsKey("s1"), []training.CatalogueRow{{ProductCode: "A1"},
		{ProductCode: "Bad1", Reason: training.NoPrice}, {ProductCode: "Bad2", Reason: training.NoQuantity, StockUnknown: true}})
	b.compares(embeddingsOf(csv("A1", "[1,0]", "BAD1", "[0,1]", "Bad2", "[1,1]"), theirs), workflow.Compared{})
	if got, want := b.rows(vectorstore.ItemTable(1)), []string{`(A1,"[1,0]")`, `(Bad1,"[0,1]")`, `(Bad2,"[1,1]")`}; !slices.Equal(got, want) {
		t.Errorf("loaded as %v, want the shop's spelling: %v", got, want)
	}
	b.compares(embeddingsOf(csv("bad1", "[1,0]"), theirs), workflow.Compared{}) // no item at all has a sound row
	b.refuses(embeddingsOf(csv("Bad1", "[1,0]", "bad1", "[0,1]"), theirs), `names the product "Bad1" twice`)
}

// An earlier release left products of bad rows out of its list, so an id that is not in it may well be recommended.
func testEarlierList(t *testing.T, b *bench) {
	b.publishShop(ratings(7, "A1"))
	putParquet(b, lake.ProductsKey("s1"), []soundProduct{{ProductCode: "A1"}})
	b.compares(embeddingsOf(csv("A1", "[1,0]", "bad", "[0,1]"), csv("7", "[1,0]")),
		workflow.Compared{UnknownItems: 1, Note: `1 of 2 items are no products of the shop, such as "bad".`})
}

// soundProduct is a row of a list of products of an earlier release.
type soundProduct struct {
	ProductCode     string `parquet:"productCode"`
	ProductLine     string `parquet:"productLine,dict"`
	ProductScale    string `parquet:"productScale,dict"`
	QuantityInStock int32  `parquet:"quantityInStock"`
	BuyPrice        int64  `parquet:"buyPrice,decimal(2:10)"`
	MSRP            int64  `parquet:"MSRP,decimal(2:10)"`
}

// towerUser is a user of expected.json and saved.json.
type towerUser struct {
	City, Country string
	Limit         float64 `json:"credit_limit"`
	Embedding     []float32
}

// towers are the fixtures of shared/learn/model: files, and customers with the vectors that PyTorch computed.
func towers(b *bench, archived, expected string, keys map[string]string) (files map[string]string, rows []trainingtest.Row, vectors [][]float32) {
	b.Helper()
	const testdata = "../../shared/learn/model/testdata"
	packed, err := os.Open(filepath.Join(testdata, archived))
	b.Must(err)
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	b.Must(err)
	files = map[string]string{}
	for archive := tar.NewReader(unpacked); ; {
		entry, err := archive.Next()
		if err == io.EOF {
			break
		}
		b.Must(err)
		if key := keys[entry.Name]; key != "" {
			var content bytes.Buffer
			_, err := io.Copy(&content, archive)
			b.Must(err)
			files[key] = content.String()
		}
	}
	var truth struct {
		Cases []struct {
			Model string
			Users []towerUser
		}
	}
	content, err := os.ReadFile(filepath.Join(testdata, expected))
	b.Must(err)
	b.Must(json.Unmarshal(content, &truth))
	at := slices.IndexFunc(truth.Cases, func(c struct {
		Model string
		Users []towerUser
	}) bool {
		return keys[c.Model] != ""
	})
	for i, user := range truth.Cases[at].Users {
		cents := int64(math.Round(user.Limit * 100))
		rows = append(rows, trainingtest.Row{CustomerNumber: int32(i), City: strings.TrimSpace(user.City), Country: strings.TrimSpace(user.Country),
			CreditLimit: &cents, ProductCode: "A1", ProductRating: 5})
		vectors = append(vectors, user.Embedding)
	}
	if len(rows) < 4 || len(files) != 3 {
		b.Fatalf("the fixtures have changed: %d users, %d files", len(rows), len(files))
	}
	return files, rows, vectors
}

func testModelCheck(t *testing.T, b *bench) {
	files, rows, vectors := towers(b, "fixtures.tar.gz", "expected.json",
		map[string]string{"bare.pth": lake.ModelKey, "ohe_protocol4.pkl": lake.UserOneHotKey, "std_protocol4.pkl": lake.UserScalerKey})
	b.publishShop(rows)
	all := len(rows)
	handedOver := func(scale func(customer int) float32) map[string]string {
		artifacts := embeddingsOf(csv("A1", "[1,0,0]"), vectorsOf(vectors, scale))
		for key, content := range files {
			artifacts[key] = content
		}
		return artifacts
	}
	one := func(int) float32 { return 1 }
	double := func(int) float32 { return 2 }
	turned := func(from int) func(int) float32 {
		return func(customer int) float32 {
			if customer >= from {
				return -1
			}
			return 1
		}
	}
	b.EnforceModelCheck = true
	b.compares(handedOver(one), workflow.Compared{ModelChecked: all})
	b.compares(handedOver(double), workflow.Compared{ModelChecked: all}) // by cosine the length does not count
	b.compares(handedOver(turned(all-1)), workflow.Compared{ModelChecked: all, ModelDiffers: 1,
		Note: fmt.Sprintf("The model gives other vectors than those handed over for 1 of %d sampled customers: their features may have changed since.", all)})
	b.refuses(handedOver(turned(1)), fmt.Sprintf("%d of %d sampled customers differ (a cosine below 0.999)", all-1, all), "Neither another activation", "modelCheck=report")

	b.EnforceModelCheck = false
	b.compares(handedOver(turned(1)), workflow.Compared{ModelChecked: all, ModelDiffers: all - 1, Note: fmt.Sprintf("The model does not give the vectors of "+
		"embeddings/user_embeddings.csv: %d of %d sampled customers differ (a cosine below 0.999). Neither another activation nor another reading of the layers "+
		"explains it: are weights, scalers and vectors of one training?", all-1, all)})

	b.EnforceModelCheck, b.Metric = true, distance.InnerProduct
	b.compares(handedOver(one), workflow.Compared{ModelChecked: all})
	b.refuses(handedOver(double), "a distance of more than 4.5 % of the vector's length")
}

// Weights as safetensors and scalers by joblib, in place of the files of torch.save and pickle.
func testSafetensors(t *testing.T, b *bench) {
	files, rows, vectors := towers(b, "saved.tar.gz", "saved.json", map[string]string{
		"bfloat16.safetensors": lake.SafetensorsKey, "joblib_zlib_ohe.pkl": lake.UserOneHotKey, "joblib_plain_std.pkl": lake.UserScalerKey})
	b.publishShop(rows)
	b.EnforceModelCheck = true
	artifacts := embeddingsOf(csv("A1", "[1,0,0]"), vectorsOf(vectors, func(int) float32 { return 1 }))
	maps.Copy(artifacts, files)
	b.compares(artifacts, workflow.Compared{ModelChecked: len(rows)})
	b.activate(1)
	active, _, err := vectorstore.ReadActive(t.Context(), b.DB)
	if err != nil || !active.HasModel || !active.Safetensors || active.Trained {
		t.Errorf("active is %+v, %v", active, err)
	}
	artifacts[lake.ModelKey] = "another model"
	b.refuses(artifacts, lake.ModelKey+" and "+lake.SafetensorsKey+" are both there", "delete one")
}

func vectorsOf(vectors [][]float32, scale func(customer int) float32) string {
	var rows []string
	for customer, vector := range vectors {
		var numbers []string
		for _, x := range vector {
			numbers = append(numbers, fmt.Sprint(x*scale(customer)))
		}
		rows = append(rows, fmt.Sprint(customer), "["+strings.Join(numbers, ",")+"]")
	}
	return csv(rows...)
}
