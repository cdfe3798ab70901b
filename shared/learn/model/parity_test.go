package model

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
)

// reference is the folder of artifacts made with PyTorch 1.13 and scikit-learn 1.2, beside the checkout.
const reference = "../../../../shared/data/ml-artifacts"

type parity struct {
	Users []struct {
		City        string    `json:"city"`
		Country     string    `json:"country"`
		CreditLimit float64   `json:"credit_limit"`
		Embedding   []float32 `json:"embedding"`
		Top5        []struct {
			ID     string  `json:"id"`
			Cosine float64 `json:"cosine"`
		} `json:"top5"`
	} `json:"users"`
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, name), v); err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
}

func referenceFiles(t testing.TB) Files {
	t.Helper()
	if _, err := os.Stat(reference); err != nil {
		t.Skip("the reference artifacts lie beside the checkout and are absent here")
	}
	return Files{
		Model:      readFile(t, filepath.Join(reference, lake.ModelKey)),
		UserOneHot: readFile(t, filepath.Join(reference, lake.UserOneHotKey)),
		UserScaler: readFile(t, filepath.Join(reference, lake.UserScalerKey)),
	}
}

func referenceModel(t testing.TB) *Model {
	t.Helper()
	m, err := Read(referenceFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestReferenceEmbeddingsAgreeWithPyTorch(t *testing.T) {
	m := referenceModel(t)
	items := referenceItems(t)
	var truth parity
	readJSON(t, filepath.Join(reference, "parity.json"), &truth)
	if len(truth.Users) == 0 {
		t.Fatal("no users to compare")
	}
	var worst float64
	for i, u := range truth.Users {
		got, err := m.UserEmbedding(userOf(" "+strings.ToUpper(u.City), u.Country+" ", u.CreditLimit))
		if err != nil {
			t.Fatalf("user %d: %v", i, err)
		}
		difference := largestDifference(got, u.Embedding)
		worst = max(worst, difference)
		if difference > 1e-5 {
			t.Errorf("user %d: off by %g", i, difference)
		}
		var want []string
		for _, item := range u.Top5 {
			want = append(want, item.ID)
		}
		if top := topByCosine(got, items, 5); !slices.Equal(top, want) {
			t.Errorf("user %d: top 5 %v, want %v", i, top, want)
		}
	}
	t.Logf("%d users of dimension %d, largest difference %g", len(truth.Users), m.Dimension(), worst)
}

func referenceItems(t testing.TB) map[string][]float32 {
	t.Helper()
	f, err := os.Open(filepath.Join(reference, lake.ItemEmbeddingsKey))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	items := map[string][]float32{}
	for _, row := range rows[1:] {
		var vector []float32
		if err := json.Unmarshal([]byte(row[1]), &vector); err != nil {
			t.Fatal(err)
		}
		items[row[0]] = vector
	}
	return items
}

func topByCosine(user []float32, items map[string][]float32, n int) []string {
	cosine := map[string]float64{}
	var ids []string
	for id, item := range items {
		var dot, squares float64
		for i, x := range item {
			dot += float64(x) * float64(user[i])
			squares += float64(x) * float64(x)
		}
		cosine[id] = dot / math.Sqrt(squares)
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if cosine[a] != cosine[b] {
			return int(math.Copysign(1, cosine[b]-cosine[a]))
		}
		return strings.Compare(a, b)
	})
	return ids[:n]
}

// largestDifference is infinite for vectors of different lengths.
func largestDifference(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var largest float64
	for i := range a {
		largest = max(largest, math.Abs(float64(a[i])-float64(b[i])))
	}
	return largest
}
