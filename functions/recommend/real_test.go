package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// reference is the data that lies beside the repository on a machine that has it.
const reference = "../../../shared/data"

// handOvers are folders of artifacts, each with the truth that PyTorch computed for them, and the training rows of the
// shop, as CSV.
var handOvers = map[string]struct {
	artifacts, parity, sessions string
	training                    func() (io.Reader, error)
}{
	"sample": {sampleArtifacts, "../../infra/local/sample/parity.json", "../../infra/local/sample/sessions.jsonl", sampleTraining},
	"reference": {reference + "/ml-artifacts", reference + "/ml-artifacts/parity.json", reference + "/streaming/sessions.jsonl",
		func() (io.Reader, error) {
			return os.Open(reference + "/classicmodels/expected_ratings_ml_training.csv")
		}},
}

func sampleTraining() (io.Reader, error) {
	var rows bytes.Buffer
	return &rows, sampleshop.WriteTraining(&rows, sampleshop.Default())
}

// knowShop gives a version the facts of the training rows about its shop.
func knowShop(t *testing.T, v *version, rows io.Reader) {
	t.Helper()
	lines, err := csv.NewReader(rows).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[strings.ToLower(name)] = i
	}
	counted, known := map[string]int64{}, map[string]bool{}
	for _, line := range lines[1:] {
		customer, _ := strconv.ParseInt(line[column["customernumber"]], 10, 32)
		item, country := line[column["productcode"]], line[column["country"]]
		v.Rated = append(v.Rated, []any{int32(customer), item})
		counted[vectorstore.CountryKey(country)+"\t"+item]++
		if !known[item] {
			known[item] = true
			stock, _ := strconv.ParseInt(line[column["quantityinstock"]], 10, 32)
			v.Attributes = append(v.Attributes, []any{item, line[column["productline"]], int32(stock)})
		}
	}
	for key, count := range counted {
		country, item, _ := strings.Cut(key, "\t")
		v.Popularity = append(v.Popularity, []any{country, item, count})
	}
}

func handedOver(t *testing.T, dir string) version {
	t.Helper()
	v := version{Items: map[string][]float32{}, Users: map[int32][]float32{}, Model: dir}
	readEmbeddings(t, filepath.Join(dir, lake.ItemEmbeddingsKey), func(id string, vector []float32) { v.Items[id] = vector })
	readEmbeddings(t, filepath.Join(dir, lake.UserEmbeddingsKey), func(id string, vector []float32) {
		number, err := strconv.ParseInt(id, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		v.Users[int32(number)] = vector
	})
	return v
}

func readEmbeddings(t *testing.T, path string, take func(string, []float32)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		var vector pgvector.Vector
		if err := vector.Parse(line[1]); err != nil {
			t.Fatal(err)
		}
		take(line[0], vector.Slice())
	}
}

// TestParityWithPyTorch: features in, and through model and pgvector the very top 5 that PyTorch found.
func TestParityWithPyTorch(t *testing.T) {
	for name, given := range handOvers {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(given.parity)
			if err != nil {
				t.Skip("the reference data is not beside the repository")
			}
			var truth struct {
				Users []struct {
					City, Country string
					CreditLimit   float64 `json:"credit_limit"`
					Top5          []struct {
						ID     string
						Cosine float64
					}
				}
			}
			if err := json.Unmarshal(content, &truth); err != nil {
				t.Fatal(err)
			}
			w := setup(t)
			w.load(handedOver(t, given.artifacts))
			var payloads []string
			for i, user := range truth.Users {
				payload, err := json.Marshal(map[string]any{"session_id": fmt.Sprint(i), "city": user.City, "country": user.Country, "credit_limit": user.CreditLimit})
				w.Must(err)
				payloads = append(payloads, string(payload))
			}
			if notDone := w.handle(payloads...); notDone != "" {
				t.Fatalf("not done from %s", notDone)
			}
			outputs := w.delivered()
			if len(outputs) != len(truth.Users) || len(outputs) == 0 {
				t.Fatalf("%d answers for %d users", len(outputs), len(truth.Users))
			}
			for i, o := range outputs {
				for k, want := range truth.Users[i].Top5 {
					if len(o.Recommended) != 5 || o.Recommended[k].ID != want.ID || math.Abs(o.Recommended[k].Score-want.Cosine) > 1e-5 {
						t.Errorf("user %d: got %v, want %v", i, o.Recommended, truth.Users[i].Top5)
						break
					}
				}
			}
		})
	}
}

// TestSessions: each session is answered with 5 items and with 5 similar to its most telling one. None of them is
// rated by the customer, in the session, or out of stock.
func TestSessions(t *testing.T) {
	t.Parallel()
	for name, given := range handOvers {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(given.sessions)
			if err != nil {
				t.Skip("the reference data is not beside the repository")
			}
			payloads := strings.Split(strings.TrimSpace(string(content)), "\n")
			w := setup(t)
			v := handedOver(t, given.artifacts)
			rows, err := given.training()
			w.Must(err)
			knowShop(t, &v, rows)
			w.load(v)
			if notDone := w.handle(payloads...); notDone != "" {
				t.Fatalf("not done from %s", notDone)
			}
			outputs, strategies := w.delivered(), map[string]int{}
			if len(outputs) != len(payloads) {
				t.Errorf("%d answers, %d rejected of %d sessions", len(outputs), len(w.rejectedReasons()), len(payloads))
			}
			unwanted := map[string]bool{} // "customer item", or "item" for everybody
			for _, row := range v.Rated {
				unwanted[fmt.Sprint(row...)] = true
			}
			for _, row := range v.Attributes {
				unwanted[row[0].(string)] = row[2].(int32) <= 0
			}
			embarrassing := func(o output, payload string) (ids []string) {
				record, err := activity.Parse([]byte(payload), lab)
				w.Must(err)
				for _, id := range append(o.ids(), o.similarIDs()...) {
					if unwanted[id] || unwanted[fmt.Sprint(o.CustomerNumber, id)] || slices.ContainsFunc(record.Products, func(p activity.Product) bool { return p.Code == id }) {
						ids = append(ids, id)
					}
				}
				return ids
			}
			for i, o := range outputs {
				strategies[o.Recommendation.Strategy]++
				if ids := embarrassing(o, payloads[i]); len(ids) > 0 {
					t.Errorf("session %d: %v are recommended to customer %d", i, ids, o.CustomerNumber)
				}
				if len(unique(o.ids())) != 5 {
					t.Errorf("session %d: %d items by %s", i, len(o.Recommended), o.Recommendation.Strategy)
				}
				if o.Similar.ProductCode != nil && len(unique(o.similarIDs())) != 5 {
					t.Errorf("session %d: similar %+v", i, o.Similar)
				}
			}
			w.handler = w.newHandler(w.readerURL, w.client, func(s *settings.Ranking) { s.IncludeRated, s.IncludeSession = true, true })
			if notDone := w.handle(payloads...); notDone != "" {
				t.Fatalf("not done from %s", notDone)
			}
			saved := 0
			for i, o := range w.delivered() {
				saved += min(len(embarrassing(o, payloads[i])), 1)
			}
			if saved == 0 {
				t.Error("nothing would be recommended that is left out: the test proves nothing")
			}
			t.Logf("%d sessions: %v; %d would have got what they have", len(outputs), strategies, saved)
		})
	}
}
