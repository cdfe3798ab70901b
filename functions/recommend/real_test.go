package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pgvector/pgvector-go"

	"recsys/shared/lake"
)

// reference is the data that lies beside the repository on a machine that has it.
const reference = "../../../shared/data"

// handOvers are folders of artifacts, each with the truth that PyTorch computed for them.
var handOvers = map[string]struct{ artifacts, parity, sessions string }{
	"sample":    {sampleArtifacts, "../../infra/local/sample/parity.json", "../../infra/local/sample/sessions.jsonl"},
	"reference": {reference + "/ml-artifacts", reference + "/ml-artifacts/parity.json", reference + "/streaming/sessions.jsonl"},
}

func handedOver(t *testing.T, dir string) version {
	t.Helper()
	v := version{items: map[string][]float32{}, users: map[int32][]float32{}, model: dir}
	readEmbeddings(t, filepath.Join(dir, lake.ItemEmbeddingsKey), func(id string, vector []float32) { v.items[id] = vector })
	readEmbeddings(t, filepath.Join(dir, lake.UserEmbeddingsKey), func(id string, vector []float32) {
		number, err := strconv.ParseInt(id, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		v.users[int32(number)] = vector
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
				w.must(err)
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

// TestSessions: each session is answered with 5 items by the model, and with 5 similar to one of its own.
func TestSessions(t *testing.T) {
	for name, given := range handOvers {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(given.sessions)
			if err != nil {
				t.Skip("the reference data is not beside the repository")
			}
			payloads := strings.Split(strings.TrimSpace(string(content)), "\n")
			w := setup(t)
			v := handedOver(t, given.artifacts)
			w.load(v)
			if notDone := w.handle(payloads...); notDone != "" {
				t.Fatalf("not done from %s", notDone)
			}
			outputs, strategies := w.delivered(), map[string]int{}
			if len(outputs) != len(payloads) {
				t.Errorf("%d answers, %d rejected of %d sessions", len(outputs), len(w.rejectedReasons()), len(payloads))
			}
			for i, o := range outputs {
				strategies[o.Recommendation.Strategy]++
				if len(o.Recommended) != 5 && o.Recommendation.Strategy != "none" {
					t.Errorf("session %d: %d items by %s", i, len(o.Recommended), o.Recommendation.Strategy)
				}
				if o.Similar.ProductCode != nil && (len(o.Similar.Items) != 5 || v.items[*o.Similar.ProductCode] == nil) {
					t.Errorf("session %d: similar %+v", i, o.Similar)
				}
			}
			t.Logf("%d sessions: %v", len(outputs), strategies)
		})
	}
}
