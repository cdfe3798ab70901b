package model

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/coldstart"
)

// The file of a linear model is little-endian. It has linearMagic, the version and the header's length (4 bytes
// each), and the header in JSON. Then come the users' map and the items' as float32, row by row, the bias first, and
// the CRC-32C of everything before. The header names the columns of the shop. Those of the lab's shop make the same
// file as in releases that knew no other shop.
const (
	linearMagic   = "recsysLM"
	linearVersion = 1
	linearFixed   = len(linearMagic) + 8 + 4
	// MaxLinearBytes bounds the file.
	MaxLinearBytes = 32 << 20
	maxDimension   = 2000 // as that of the embeddings
	maxColumns     = 1000 // of a side

	adviceLinear = "it is written by the training step alone"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// linear is a linear model: for each side an encoder and a map.
type linear struct {
	Dimension int            `json:"dimension"`
	User      encoder        `json:"user"`
	Item      encoder        `json:"item"`
	Arrays    [2]linearArray `json:"arrays"`
	userMap   coldstart.Map
	itemMap   coldstart.Map
}

type linearArray struct {
	Name  string `json:"name"`
	Shape [2]int `json:"shape"`
}

func (l *linear) arrays() [2]linearArray {
	return [2]linearArray{
		{"user", [2]int{1 + l.User.width(), l.Dimension}},
		{"item", [2]int{1 + l.Item.width(), l.Dimension}},
	}
}

// WriteLinear is the file lake.LinearModelKey of a linear model. The same model gives the same bytes. Error: the maps do
// not fit the encoders, or are not finite.
func WriteLinear(e *Encoders, userMap, itemMap coldstart.Map) ([]byte, error) {
	l := &linear{Dimension: userMap.Dimension, User: e.user, Item: e.item, userMap: userMap, itemMap: itemMap}
	l.Arrays = l.arrays()
	if itemMap.Dimension != l.Dimension {
		return nil, fmt.Errorf("writing a linear model: maps to the dimensions %d and %d", l.Dimension, itemMap.Dimension)
	}
	header, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("writing the linear model's header: %w", err)
	}
	file := append([]byte(nil), linearMagic...)
	file = binary.LittleEndian.AppendUint32(file, linearVersion)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(header)))
	file = append(file, header...)
	for _, m := range []coldstart.Map{userMap, itemMap} {
		for _, w := range m.Weights {
			file = binary.LittleEndian.AppendUint32(file, math.Float32bits(w))
		}
	}
	file = binary.LittleEndian.AppendUint32(file, crc32.Checksum(file, castagnoli))
	if _, err := readLinear(file); err != nil {
		return nil, fmt.Errorf("the linear model that was to be written cannot be read: %w", err)
	}
	return file, nil
}

// readLinear allocates no more than the file is long.
func readLinear(data []byte) (*linear, error) {
	if len(data) == 0 {
		return nil, invalid(lake.LinearModelKey, "the file is empty")
	}
	if len(data) > MaxLinearBytes {
		return nil, invalid(lake.LinearModelKey, "the file has %d bytes, more than %d", len(data), MaxLinearBytes)
	}
	if !bytes.HasPrefix(data, []byte(linearMagic)) {
		if bytes.HasPrefix([]byte(linearMagic), data) {
			return nil, invalid(lake.LinearModelKey, "the file ends early")
		}
		return nil, &Unsupported{lake.LinearModelKey, "no linear model of this pipeline", adviceLinear}
	}
	if len(data) < linearFixed {
		return nil, invalid(lake.LinearModelKey, "the file ends early")
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	rest := body[len(linearMagic):]
	version, length := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
	if version != linearVersion {
		return nil, &Unsupported{lake.LinearModelKey, fmt.Sprintf("a linear model of version %d, where %d is read", version, linearVersion), adviceLinear}
	}
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, invalid(lake.LinearModelKey, "the file is damaged: its checksum is another")
	}
	rest = rest[8:]
	if uint64(length) > uint64(len(rest)) {
		return nil, invalid(lake.LinearModelKey, "the header has %d bytes of %d", length, len(rest))
	}
	l := &linear{}
	header := json.NewDecoder(bytes.NewReader(rest[:length]))
	header.DisallowUnknownFields()
	if err := header.Decode(l); err != nil {
		return nil, invalid(lake.LinearModelKey, "reading the header: %w", err)
	}
	if err := l.read(rest[length:]); err != nil {
		return nil, &Invalid{lake.LinearModelKey, err}
	}
	return l, nil
}

// read checks the header and takes the arrays.
func (l *linear) read(arrays []byte) error {
	if l.Dimension < 1 || l.Dimension > maxDimension {
		return fmt.Errorf("dimension %d: want 1 to %d", l.Dimension, maxDimension)
	}
	if err := l.User.check(); err != nil {
		return fmt.Errorf("the users' features: %w", err)
	}
	if err := l.Item.check(); err != nil {
		return fmt.Errorf("the items' features: %w", err)
	}
	if want := l.arrays(); l.Arrays != want {
		return fmt.Errorf("arrays %v do not fit the features: want %v", l.Arrays, want)
	}
	users := 4 * l.Arrays[0].Shape[0] * l.Dimension
	if want := users + 4*l.Arrays[1].Shape[0]*l.Dimension; len(arrays) != want {
		return fmt.Errorf("%d bytes of arrays, want %d", len(arrays), want)
	}
	l.User.number()
	l.Item.number()
	var err error
	if l.userMap, err = l.weights(arrays[:users]); err != nil {
		return fmt.Errorf("the users' map: %w", err)
	}
	if l.itemMap, err = l.weights(arrays[users:]); err != nil {
		return fmt.Errorf("the items' map: %w", err)
	}
	return nil
}

func (l *linear) weights(data []byte) (coldstart.Map, error) {
	m := coldstart.Map{Dimension: l.Dimension, Weights: make([]float32, len(data)/4)}
	for i := range m.Weights {
		m.Weights[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		if !isFinite(float64(m.Weights[i])) {
			return m, fmt.Errorf("number %d is not finite", i)
		}
	}
	return m, nil
}

func (e *encoder) check() error {
	if len(e.Numbers)+len(e.Categories) > maxColumns {
		return fmt.Errorf("%d numbers and %d texts, at most %d are read", len(e.Numbers), len(e.Categories), maxColumns)
	}
	names := map[string]bool{}
	for _, n := range e.Numbers {
		names[n.Name] = true
		if !isFinite(n.Mean) || !(n.Scale > 0) || math.IsInf(n.Scale, 1) {
			return fmt.Errorf("%.40q with the mean %v and the scale %v", n.Name, n.Mean, n.Scale)
		}
	}
	for _, c := range e.Categories {
		names[c.Name] = true
		if len(c.Values) > maxCategories {
			return fmt.Errorf("%d categories of %.40q, at most %d are read", len(c.Values), c.Name, maxCategories)
		}
		if !slices.IsSorted(c.Values) || len(slices.Compact(slices.Clone(c.Values))) != len(c.Values) {
			return fmt.Errorf("the categories of %.40q are not in ascending order, each once", c.Name)
		}
	}
	if len(names) != len(e.Numbers)+len(e.Categories) || names[""] {
		return errors.New("two columns of one name, or one without a name")
	}
	return nil
}

// roomForFeatures is how many features of a record are held without an allocation.
const roomForFeatures = 32

// embed computes one embedding into dst. It returns false if the embedding is zero or not finite, and dst is zeros.
func (e *encoder) embed(dst []float32, by coldstart.Map, of Record) bool {
	var columns [roomForFeatures]int32
	var values [roomForFeatures]float32
	c, v := e.append(columns[:0], values[:0], of)
	by.Apply(dst, c, v)
	return hasDirection(dst)
}

func hasDirection(x []float32) bool {
	zero := true
	for _, v := range x {
		if !isFinite(float64(v)) {
			clear(x)
			return false
		}
		zero = zero && v == 0
	}
	return !zero
}
