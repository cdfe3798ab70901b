package blend

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/neighbours"
)

// catalogue writes a model's items.
func catalogue(t testing.TB, m Model) []byte {
	t.Helper()
	file, _ := catalogueAndSum(t, m)
	return file
}

func catalogueAndSum(t testing.TB, m Model) ([]byte, string) {
	t.Helper()
	var file bytes.Buffer
	w, err := NewCatalogueWriter(&file, m.Metric, m.Dimension)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range m.Items {
		if err := w.Add(id, m.Vectors[i*m.Dimension:(i+1)*m.Dimension]); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), sum
}

func written(t testing.TB, n Neighbours) []byte {
	t.Helper()
	var file bytes.Buffer
	if count, err := n.WriteTo(&file); err != nil || count != int64(file.Len()) {
		t.Fatalf("%d of %d bytes, %v", count, file.Len(), err)
	}
	return file.Bytes()
}

func small() Neighbours {
	m := four(0.5)
	return Neighbours{Kind: lake.EASE, Beta: m.Beta, Items: m.Items, Table: m.Neighbours}
}

func TestFilesAreReadBack(t *testing.T) {
	m := four(0)
	sums := map[string]bool{}
	m.Neighbours, m.Items[1] = nil, strings.Repeat("\U0001F600", lake.MaxText)
	for _, metric := range []distance.Metric{distance.InnerProduct, distance.Cosine, distance.L2} {
		m.Metric = metric
		file, sum := catalogueAndSum(t, m)
		got, read, err := ReadCatalogue(bytes.NewReader(file))
		if err != nil || !reflect.DeepEqual(got, m) || read != sum {
			t.Errorf("%+v of the sum %s came back as %+v of %s, %v", m, sum, got, read, err)
		}
		if sums[sum] {
			t.Errorf("two catalogues have the sum %s", sum)
		}
		sums[sum] = true
	}
	n := small()
	if got, err := ReadNeighbours(bytes.NewReader(written(t, n))); err != nil || !reflect.DeepEqual(*got, n) {
		t.Errorf("%+v came back as %+v, %v", n, got, err)
	}
}

func TestDamagedFiles(t *testing.T) {
	for name, read := range map[string]func(io.Reader) error{
		"catalogue": func(r io.Reader) error { _, _, err := ReadCatalogue(r); return err },
		"neighbour": func(r io.Reader) error { _, err := ReadNeighbours(r); return err },
	} {
		whole := catalogue(t, four(0))
		if name == "neighbour" {
			whole = written(t, small())
		}
		refused := func(what string, data []byte) {
			if err := read(bytes.NewReader(data)); !errors.As(err, new(*RefusedFile)) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		for n := range whole {
			refused(fmt.Sprintf("cut to %d of %d bytes", n, len(whole)), whole[:n])
			damaged := bytes.Clone(whole)
			damaged[n] ^= 0x10
			refused(fmt.Sprintf("byte %d flipped", n), damaged)
		}
		refused("one byte more", append(bytes.Clone(whole), 0))
		broken := errors.New("broken")
		if err := read(io.MultiReader(bytes.NewReader(whole[:len(whole)-9]), failing{broken})); !errors.Is(err, broken) {
			t.Errorf("%s, a failing reader: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWhatCannotBeWritten(t *testing.T) {
	for name, change := range map[string]func(*Neighbours){
		"kind": func(n *Neighbours) { n.Kind = "other" }, "beta": func(n *Neighbours) { n.Beta = math.NaN() },
		"items": func(n *Neighbours) { n.Items = n.Items[1:] }, "id": func(n *Neighbours) { n.Items[0] = strings.Repeat("x", MaxID+1) },
		"weights": func(n *Neighbours) { n.Table.Weights[0] = float32(math.Inf(1)) },
	} {
		n := small()
		change(&n)
		if _, err := n.WriteTo(io.Discard); err == nil {
			t.Errorf("neighbours with a bad %s were written", name)
		}
	}
	broken := errors.New("broken")
	if _, err := small().WriteTo(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("a failing writer: %v", err)
	}
	if _, err := NewCatalogueWriter(io.Discard, distance.Cosine, MaxDimension+1); err == nil {
		t.Error("a catalogue of too many dimensions was begun")
	}
	w, err := NewCatalogueWriter(failing{broken}, distance.Cosine, 1)
	if err != nil {
		t.Fatal(err)
	}
	if w.Add("a", []float32{1, 2}) == nil || w.Add(strings.Repeat("x", MaxID+1), []float32{1}) == nil {
		t.Error("an item was written whose vector or id is too long")
	}
	if _, err := w.Close(); !errors.Is(err, broken) {
		t.Errorf("a failing writer: %v", err)
	}
}

// A version may lack some products of the neighbours, and have others.
func TestNeighboursOfOtherItems(t *testing.T) {
	n := small()
	got := n.For([]string{"c", "x", "a"})
	want := &neighbours.Table{Start: []int64{0, 0, 0, 1}, Items: []int32{0}, Weights: []float32{-0.25}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := n.For(n.Items); !reflect.DeepEqual(got, n.Table) {
		t.Errorf("for the same items %+v, want %+v", got, n.Table)
	}
}

func FuzzReadCatalogue(f *testing.F) {
	f.Add(catalogue(f, four(0)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, _, err := ReadCatalogue(bytes.NewReader(data))
		if err == nil && !bytes.Equal(catalogue(t, m), data) {
			t.Error("read and written, it is another")
		}
	})
}

func FuzzReadNeighbours(f *testing.F) {
	f.Add(written(f, small()))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ReadNeighbours(bytes.NewReader(data))
		if err == nil && !bytes.Equal(written(t, *n), data) {
			t.Error("read and written, it is another")
		}
	})
}
