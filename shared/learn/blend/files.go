package blend

import (
	"bytes"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/neighbours"
)

// The two files of this package, lake.CatalogueKey and lake.NeighboursKey, are little-endian. Each begins with four letters
// and a version, and ends with the CRC-32C of all bytes before it. A text is its length, of two bytes, and its bytes.

// RefusedFile is the error of a file that is damaged, or of another kind.
type RefusedFile struct{ Reason string }

func (e *RefusedFile) Error() string { return "the file cannot be used: " + e.Reason }

const (
	fileVersion = 1
	// MaxID bounds an item's id, in bytes: lake.MaxText characters of 4 bytes.
	MaxID = 4 * lake.MaxText
	// MaxDimension bounds vectors, as pgvector does.
	MaxDimension = 2000
	// MostEntries bounds a table of neighbours, which takes 8 bytes an entry: 128 MB.
	MostEntries = neighbours.MostEntries
	// maxItems bounds the items that a file may claim. Memory grows with the bytes that are there.
	maxItems = 1 << 28
)

var (
	catalogueMagic  = [4]byte{'r', 'C', 'A', 'T'}
	neighboursMagic = [4]byte{'r', 'N', 'B', 'R'}
	castagnoli      = crc32.MakeTable(crc32.Castagnoli)
)

// CatalogueWriter writes the items of a version with their vectors, one at a time. The count comes last, so nothing has to be
// known before.
//
//	catalogueHead, then for each item 1, its id and its numbers, then 0, the count and the checksum
type CatalogueWriter struct {
	out       *encoder
	dimension int
	count     uint64
}

type catalogueHead struct {
	Magic     [4]byte
	Version   uint32
	Metric    [16]byte // the name, zeros behind it
	Dimension uint32
}

// NewCatalogueWriter starts a file. Close ends it. Errors are those of w, and come at any call.
func NewCatalogueWriter(w io.Writer, metric distance.Metric, dimension int) (*CatalogueWriter, error) {
	if dimension < 1 || dimension > MaxDimension {
		return nil, fmt.Errorf("a catalogue of dimension %d: want 1 to %d", dimension, MaxDimension)
	}
	c := &CatalogueWriter{out: newEncoder(w), dimension: dimension}
	head := catalogueHead{Magic: catalogueMagic, Version: fileVersion, Dimension: uint32(dimension)}
	copy(head.Metric[:], metric)
	c.out.fixed(head)
	return c, c.out.err
}

// Add writes an item.
func (c *CatalogueWriter) Add(id string, vector []float32) error {
	if len(vector) != c.dimension || len(id) > MaxID {
		return fmt.Errorf("an item whose id has %d bytes and whose vector has %d numbers: want at most %d and %d", len(id), len(vector), MaxID, c.dimension)
	}
	c.count++
	c.out.bytes([]byte{1})
	c.out.text(id)
	numbers(c.out, vector)
	return c.out.err
}

// Close writes the end of the file. It returns the file's sum, which tells catalogues apart.
func (c *CatalogueWriter) Close() (sum string, err error) {
	c.out.bytes([]byte{0})
	c.out.fixed(c.count)
	sum = hexadecimal(c.out.sum)
	return sum, c.out.close()
}

func hexadecimal(sum hash.Hash32) string { return fmt.Sprintf("%08x", sum.Sum32()) }

// CatalogueReader reads a catalogue as a stream, one item at a time. Memory is one item.
type CatalogueReader struct {
	Metric    distance.Metric
	Dimension int

	in     *decoder
	id     []byte
	vector []float32
	count  uint64
	sum    string
	ended  bool
}

// NewCatalogueReader reads the head of a catalogue. Errors: *RefusedFile, and r's.
func NewCatalogueReader(r io.Reader) (*CatalogueReader, error) {
	in := newDecoder(r)
	var head catalogueHead
	in.fixed(&head)
	in.check(head.Magic == catalogueMagic, "it is no catalogue")
	in.check(head.Version == fileVersion, fmt.Sprintf("it is of version %d, not %d", head.Version, fileVersion))
	in.check(head.Dimension >= 1 && head.Dimension <= MaxDimension, "its dimension cannot be right")
	name, padding, _ := bytes.Cut(head.Metric[:], []byte{0})
	metric, err := distance.Parse(string(name))
	in.check(err == nil && len(bytes.Trim(padding, "\x00")) == 0, "its metric is unknown")
	return &CatalogueReader{Metric: metric, Dimension: int(head.Dimension), in: in}, in.err
}

// Next goes on to the next item. It returns false at the end and after an error.
func (c *CatalogueReader) Next() bool {
	if c.ended || c.in.err != nil {
		return false
	}
	var more uint8
	c.in.fixed(&more)
	if c.in.err == nil && more == 0 {
		c.end()
		return false
	}
	c.in.check(more == 1, "an item begins with another mark")
	c.id = c.in.text(c.id[:0])
	c.vector = readNumbers[float32](c.in, c.vector[:0], uint64(c.Dimension))
	for _, number := range c.vector {
		c.in.check(!math.IsNaN(float64(number)) && !math.IsInf(float64(number), 0), "a vector is not finite")
	}
	c.count++
	return c.in.err == nil
}

func (c *CatalogueReader) end() {
	var count uint64
	c.in.fixed(&count)
	c.in.check(count == c.count, fmt.Sprintf("it has %d items and claims %d", c.count, count))
	c.sum = hexadecimal(c.in.sum)
	c.in.close()
	c.ended = true
}

// Row returns the item. The vector is good until the next call of Next.
func (c *CatalogueReader) Row() (id string, vector []float32) { return string(c.id), c.vector }

// Sum returns the sum of a catalogue that was read to its end.
func (c *CatalogueReader) Sum() string { return c.sum }

// Err returns why Next has ended early: *RefusedFile, or the reader's error. It is nil after a whole file.
func (c *CatalogueReader) Err() error { return c.in.err }

// ReadCatalogue reads a whole catalogue into a model without neighbours, and returns its sum. It holds the vectors once.
// Errors: *RefusedFile, and r's.
func ReadCatalogue(r io.Reader) (m Model, sum string, err error) {
	c, err := NewCatalogueReader(r)
	if err != nil {
		return Model{}, "", err
	}
	m = Model{Metric: c.Metric, Dimension: c.Dimension}
	for c.Next() {
		id, vector := c.Row()
		m.Items, m.Vectors = append(m.Items, id), append(m.Vectors, vector...)
	}
	if err := c.Err(); err != nil {
		return Model{}, "", err
	}
	return m, c.Sum(), nil
}

// Neighbours is the item-item model of a version.
type Neighbours struct {
	Kind  string  // lake.KNN or lake.EASE
	Beta  float64 // Model.Beta
	Items []string
	Table *neighbours.Table // a row for each of Items
}

type neighboursHead struct {
	Magic          [4]byte
	Version        uint32
	Kind           [16]byte // zeros behind it
	Beta           float64
	Items, Entries uint64
}

// WriteTo writes the file: neighboursHead, the ids, the number of targets of each item, all targets, all weights, and the
// checksum. Errors are those of w, and of a table that does not fit.
func (n Neighbours) WriteTo(w io.Writer) (int64, error) {
	if err := n.validate(); err != nil {
		return 0, err
	}
	out := newEncoder(w)
	head := neighboursHead{Magic: neighboursMagic, Version: fileVersion, Beta: n.Beta, Items: uint64(len(n.Items)), Entries: uint64(len(n.Table.Items))}
	copy(head.Kind[:], n.Kind)
	out.fixed(head)
	for _, id := range n.Items {
		out.text(id)
	}
	lengths := make([]int32, len(n.Items))
	for item := range lengths {
		lengths[item] = int32(n.Table.Start[item+1] - n.Table.Start[item])
	}
	numbers(out, lengths)
	numbers(out, n.Table.Items)
	numbers(out, n.Table.Weights)
	err := out.close()
	return out.written, err
}

func (n Neighbours) validate() error {
	if n.Kind != lake.KNN && n.Kind != lake.EASE || !(n.Beta >= 0 && n.Beta <= 1) {
		return fmt.Errorf("neighbours of kind %q with β %v: want %s or %s, and 0 to 1", n.Kind, n.Beta, lake.KNN, lake.EASE)
	}
	if n.Table.Rows() != len(n.Items) || len(n.Table.Items) > MostEntries {
		return fmt.Errorf("neighbours of %d items with a table of %d and %d entries: want as many, and at most %d entries",
			len(n.Items), n.Table.Rows(), len(n.Table.Items), MostEntries)
	}
	for _, id := range n.Items {
		if len(id) > MaxID {
			return fmt.Errorf("neighbours of an item whose id has %d bytes: want at most %d", len(id), MaxID)
		}
	}
	return n.Table.Validate()
}

// ReadNeighbours reads the output of WriteTo, up to the end of r. Errors: *RefusedFile, and r's.
func ReadNeighbours(r io.Reader) (*Neighbours, error) {
	in := newDecoder(r)
	var head neighboursHead
	in.fixed(&head)
	in.check(head.Magic == neighboursMagic, "it holds no neighbours")
	in.check(head.Version == fileVersion, fmt.Sprintf("it is of version %d, not %d", head.Version, fileVersion))
	in.check(head.Items <= maxItems && head.Entries <= MostEntries, "its sizes cannot be right")
	kind, padding, _ := bytes.Cut(head.Kind[:], []byte{0})
	in.check(len(bytes.Trim(padding, "\x00")) == 0, "its kind is unknown")
	n := &Neighbours{Kind: string(kind), Beta: head.Beta, Table: &neighbours.Table{Start: []int64{0}}}
	var id []byte
	for range head.Items {
		if in.err != nil {
			return nil, in.err
		}
		id = in.text(id[:0])
		n.Items = append(n.Items, string(id))
	}
	for _, length := range readNumbers[int32](in, nil, head.Items) {
		n.Table.Start = append(n.Table.Start, n.Table.Start[len(n.Table.Start)-1]+int64(length))
	}
	n.Table.Items = readNumbers[int32](in, nil, head.Entries)
	n.Table.Weights = readNumbers[float32](in, nil, head.Entries)
	in.close()
	if in.err != nil {
		return nil, in.err
	}
	if err := n.validate(); err != nil {
		return nil, &RefusedFile{err.Error()}
	}
	return n, nil
}

// For returns the table for another list of items. Items that are not in it are left out.
func (n *Neighbours) For(items []string) *neighbours.Table {
	place := make(map[string]int32, len(items))
	for i, id := range items {
		place[id] = int32(i)
	}
	to, from := make([]int32, len(n.Items)), make([]int32, len(items))
	for i := range from {
		from[i] = -1
	}
	for i, id := range n.Items {
		at, known := place[id]
		if !known {
			at = -1
		} else {
			from[at] = int32(i)
		}
		to[i] = at
	}
	return n.Table.Renumbered(from, to)
}
