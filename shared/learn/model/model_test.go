package model

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
)

func readGood(t testing.TB) *Model {
	t.Helper()
	m, err := Read(goodFiles(fixtures(t)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestBatchEqualsOneByOneFromManyGoroutines(t *testing.T) {
	m := readGood(t)
	users := make([]Record, 100)
	for i := range users {
		users[i] = userOf([]string{"nantes", "Las Vegas", "ΟΔΟΣ", "x"}[i%4], "usa", float64(i*1000))
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			batch := make([]float32, len(users)*m.Dimension())
			if undirected, err := m.Embed(batch, users); err != nil || undirected != nil {
				t.Errorf("undirected %v, error %v", undirected, err)
			}
			for i, user := range users {
				one, err := m.UserEmbedding(user)
				if err != nil || !slices.Equal(one, batch[i*m.Dimension():(i+1)*m.Dimension()]) {
					t.Errorf("user %d differs, error %v", i, err)
				}
			}
		})
	}
	group.Wait()
}

func TestUnknownCreditLimitCountsAsTheMean(t *testing.T) {
	m := readGood(t)
	mean, err := m.UserEmbedding(userOf("nantes", "france", m.scale.mean))
	if err != nil {
		t.Fatal(err)
	}
	for _, unknown := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		got, err := m.UserEmbedding(userOf("nantes", "france", unknown))
		if err != nil || !slices.Equal(got, mean) {
			t.Errorf("%g: %v, error %v", unknown, got, err)
		}
	}
}

func TestUndirectedUsersAreZerosAndNamed(t *testing.T) {
	m := readGood(t)
	dst := make([]float32, 3*m.Dimension())
	undirected, err := m.Embed(dst, []Record{userOf("", "", 0), userOf("", "", math.MaxFloat64), userOf("", "", 0)})
	if err != nil || !slices.Equal(undirected, []int{1}) {
		t.Fatalf("undirected %v, error %v", undirected, err)
	}
	if row := dst[m.Dimension() : 2*m.Dimension()]; !slices.Equal(row, make([]float32, m.Dimension())) {
		t.Errorf("row %v, want zeros", row)
	}
}

func TestEmbedRefusesAnotherLength(t *testing.T) {
	m := readGood(t)
	if _, err := m.Embed(make([]float32, m.Dimension()+1), []Record{userOf("", "", 0)}); err == nil {
		t.Error("no error")
	}
}

func TestEmbedAllocatesNothing(t *testing.T) {
	m := readGood(t)
	users := slices.Repeat([]Record{userOf(" Las Vegas ", "USA", 1000)}, 10)
	dst := make([]float32, len(users)*m.Dimension())
	if n := testing.AllocsPerRun(100, func() { _, _ = m.Embed(dst, users) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestNormalIsPythonsStripAndLower(t *testing.T) {
	for in, want := range map[string]string{
		" Norway  ": "norway", "\x1cOslo\u00a0": "oslo", "İZMİR": "i̇zmi̇r", "ΟΔΟΣ": "οδος", "STRAßE": "straße",
		"": "", " \t": "", "São Paulo": "são paulo", "ÅRHUS": "århus", "I": "i", "K": "k", // the last is the Kelvin sign
	} {
		if got := normal(in); got != want {
			t.Errorf("normal(%q) = %q, want %q", in, got, want)
		}
	}
}

// The reference model: 98 features, layers of 256 and 128, dimension 32.
func BenchmarkEmbed(b *testing.B) {
	m := referenceModel(b)
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("users=%d", n), func(b *testing.B) {
			users := slices.Repeat([]Record{userOf("Nantes", "France", 21000)}, n)
			dst := make([]float32, n*m.Dimension())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Embed(dst, users); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "users/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	files := referenceFiles(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(files); err != nil {
			b.Fatal(err)
		}
	}
}
