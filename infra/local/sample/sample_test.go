package sample

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/model"
	"recsys/shared/shop/sampleshop"
)

const again = "; make the sample again, see README.md"

func TestAllArtifactsAreThere(t *testing.T) {
	var keys []string
	total := 0
	err := fs.WalkDir(Artifacts(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		keys = append(keys, path)
		total += len(artifact(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat([]string{lake.SuccessKey}, lake.RequiredArtifacts, lake.ModelArtifacts, lake.OptionalArtifacts)
	slices.Sort(keys)
	slices.Sort(want)
	if !slices.Equal(keys, want) {
		t.Errorf("artifacts %v, want %v", keys, want)
	}
	if total > 600_000 {
		t.Errorf("the artifacts have %d bytes, want at most 600,000", total)
	}
}

func TestArtifactsAreOfTheShop(t *testing.T) {
	var products, training bytes.Buffer
	if err := sampleshop.WriteProducts(&products, Options()); err != nil {
		t.Fatal(err)
	}
	if err := sampleshop.WriteTraining(&training, Options()); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]map[string]bool{
		lake.ItemEmbeddingsKey: column(t, &products, "productCode"),
		lake.UserEmbeddingsKey: column(t, &training, "customerNumber"),
	} {
		vectors := embeddings(t, key)
		if got := slices.Sorted(maps.Keys(vectors)); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Errorf("%s: %d ids that are not the shop's %d"+again, key, len(got), len(want))
		}
		for id, v := range vectors {
			if length := math.Sqrt(dot(v, v)); len(v) != 32 || math.Abs(length-1) > 1e-5 {
				t.Errorf("%s: %s has %d dimensions and length %g", key, id, len(v), length)
			}
		}
	}
}

func TestSessionsAreOfTheShop(t *testing.T) {
	var want bytes.Buffer
	if err := sampleshop.WriteSessions(&want, Options(), sampleshop.DefaultSessions); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(Sessions(), want.Bytes()) {
		t.Error("sessions.jsonl is not what the generator writes" + again)
	}
}

func TestModelComputesTheVectorsOfPyTorch(t *testing.T) {
	towers, err := model.Read(model.Files{
		Model: artifact(t, lake.ModelKey), UserOneHot: artifact(t, lake.UserOneHotKey), UserScaler: artifact(t, lake.UserScalerKey),
	})
	if err != nil {
		t.Fatal(err)
	}
	items := embeddings(t, lake.ItemEmbeddingsKey)
	for _, want := range parityUsers(t) {
		vector, err := towers.UserEmbedding(model.Record{Texts: []string{want.City, want.Country}, Numbers: []float64{want.CreditLimit}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range vector {
			if math.Abs(float64(vector[i])-want.Embedding[i]) > 1e-5 {
				t.Fatalf("%q: number %d is %v, want %v", want.City, i, vector[i], want.Embedding[i])
			}
		}
		ids := slices.SortedFunc(maps.Keys(items), func(a, b string) int {
			return int(math.Copysign(1, dot(items[b], wide(vector))-dot(items[a], wide(vector))))
		})
		for i, five := range want.Top5 {
			if ids[i] != five.ID {
				t.Errorf("%q: item %d is %s, want %s", want.City, i+1, ids[i], five.ID)
			}
		}
	}
}

func TestModelLearnedTheTruth(t *testing.T) {
	truth, err := sampleshop.TruthOf(Options())
	if err != nil {
		t.Fatal(err)
	}
	items, users := embeddings(t, lake.ItemEmbeddingsKey), embeddings(t, lake.UserEmbeddingsKey)
	var recommended, all, pairs float64
	for _, c := range truth.CustomerFactors {
		user, ok := users[strconv.Itoa(c.CustomerNumber)]
		if !ok {
			continue
		}
		best, most := 0.0, -2.0
		for _, p := range truth.ProductFactors {
			affinity := sampleshop.Affinity(c, p)
			if cosine := dot(user, items[p.ProductCode]); cosine > most {
				best, most = affinity, cosine
			}
			all, pairs = all+affinity, pairs+1
		}
		recommended += best / float64(len(users))
	}
	if recommended < 0.6 || all/pairs > 0.1 {
		t.Errorf("mean affinity %.3f of the first item recommended, %.3f of all", recommended, all/pairs)
	}
}

type parityUser struct {
	City        string    `json:"city"`
	Country     string    `json:"country"`
	CreditLimit float64   `json:"credit_limit"`
	Embedding   []float64 `json:"embedding"`
	Top5        []struct {
		ID string `json:"id"`
	} `json:"top5"`
}

func parityUsers(t *testing.T) []parityUser {
	t.Helper()
	text, err := os.ReadFile("parity.json")
	if err != nil {
		t.Fatal(err)
	}
	var parity struct{ Users []parityUser }
	if err := json.Unmarshal(text, &parity); err != nil {
		t.Fatal(err)
	}
	if len(parity.Users) < 90 {
		t.Fatalf("parity.json has %d users", len(parity.Users))
	}
	return parity.Users
}

func artifact(t *testing.T, key string) []byte {
	t.Helper()
	content, err := fs.ReadFile(Artifacts(), key)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// column is the set of a CSV column's values.
func column(t *testing.T, text *bytes.Buffer, name string) map[string]bool {
	t.Helper()
	records, err := csv.NewReader(text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]bool{}
	for _, r := range records[1:] {
		values[r[slices.Index(records[0], name)]] = true
	}
	return values
}

func embeddings(t *testing.T, key string) map[string][]float64 {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(artifact(t, key))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	vectors := map[string][]float64{}
	for _, r := range records[1:] {
		var v []float64
		for number := range strings.SplitSeq(strings.Trim(r[1], "[]"), ",") {
			x, err := strconv.ParseFloat(number, 64)
			if err != nil {
				t.Fatal(err)
			}
			v = append(v, x)
		}
		vectors[r[0]] = v
	}
	if len(vectors) != len(records)-1 {
		t.Errorf("%s repeats an id", key)
	}
	return vectors
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func wide(v []float32) []float64 {
	w := make([]float64, len(v))
	for i := range v {
		w[i] = float64(v[i])
	}
	return w
}
