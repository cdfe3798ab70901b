// Package model computes embeddings from features: with the towers that a data scientist hands over, or with the linear
// maps that the training step writes.
//
// Promise: Read takes a PyTorch state dict and two scikit-learn pickles as they were saved, and runs no code in them.
// A file of another kind is an *Unsupported with advice how to save it instead. A damaged or unfitting file is an
// *Invalid. A Model never changes: any number of goroutines may use one.
//
// Reads lake.ModelKey (zip and legacy format, float16 to float64 and bfloat16, a bare state dict or one in a
// checkpoint dict, of two towers or of the user's alone), or lake.SafetensorsKey in its place. With it,
// lake.UserOneHotKey and lake.UserScalerKey (pickle protocols 2 to 5 or joblib, compressed or not, NumPy 1 and 2). Or
// reads lake.LinearModelKey, a file of our own (see linear.go). Writes: the latter. Spec: docs/training.md. The
// features of a tower are the scaled creditLimit, then one-hot city and country, lower-cased and trimmed. Those of a
// linear model are the shop's columns. The user's tower is
// Linear layers with ReLU between. Its output is L2-normalised. That of a linear model is not: it is compared by
// inner product.
package model

import (
	"errors"
	"fmt"
	"sync"

	"recsys/shared/contract/lake"
)

// Limits of the files. Larger files are refused before they are parsed.
const (
	MaxModelBytes  = 128 << 20 // of the model, packed and unpacked
	MaxScalerBytes = 16 << 20  // of each scaler
	maxEntries     = 10_000    // in a zip archive
	maxLayers      = 1_000     // in a state dict
	maxWidth       = 1 << 20   // of a layer, in numbers
	// maxNumbers of a tower, as float32. The file's size does not bound it: layers may share one storage.
	maxNumbers = MaxModelBytes / 4
)

// Files are the contents of a model's artifacts: the first three, or Linear alone.
type Files struct {
	Model      []byte // lake.ModelKey
	UserOneHot []byte // lake.UserOneHotKey
	UserScaler []byte // lake.UserScalerKey
	Linear     []byte // lake.LinearModelKey

	Safetensors []byte // lake.SafetensorsKey, in place of Model
}

// File is one of them, before it is read.
type File struct {
	Key   string
	Limit int64 // in bytes
	Into  *[]byte
}

// Kind names the parts that a model is made of.
type Kind int

const (
	Towers      Kind = iota // layers and scalers, handed over: lake.ModelArtifacts
	Safetensors             // the same, with lake.SafetensorsKey in place of lake.ModelKey
	Linear                  // maps from features, of the training step: lake.LinearModelKey
)

// KindOf returns the kind of a version's model.
func KindOf(trained, safetensors bool) Kind {
	switch {
	case trained:
		return Linear
	case safetensors:
		return Safetensors
	}
	return Towers
}

// List names the files of a kind, for their reader.
func (f *Files) List(kind Kind) []File {
	if kind == Linear {
		return []File{{lake.LinearModelKey, MaxLinearBytes, &f.Linear}}
	}
	weights := File{lake.ModelKey, MaxModelBytes, &f.Model}
	if kind == Safetensors {
		weights = File{lake.SafetensorsKey, MaxModelBytes, &f.Safetensors}
	}
	return []File{
		weights,
		{lake.UserOneHotKey, MaxScalerBytes, &f.UserOneHot},
		{lake.UserScalerKey, MaxScalerBytes, &f.UserScaler},
	}
}

// Model is a user tower with its features, or the linear maps of users and items.
type Model struct {
	linear  *linear // nil: a tower, the rest
	scale   scaler
	encode  oneHot
	first   sparseLayer
	rest    []denseLayer
	scratch sync.Pool // *buffers
}

// Read makes a Model of the files of one kind. Errors: *Unsupported and *Invalid. Both name the artifact.
func Read(files Files) (*Model, error) {
	if files.Linear != nil {
		l, err := readLinear(files.Linear)
		if err != nil {
			return nil, err
		}
		return &Model{linear: l}, nil
	}
	scale, err := readScaler(files.UserScaler)
	if err != nil {
		return nil, err
	}
	encode, err := readOneHot(files.UserOneHot)
	if err != nil {
		return nil, err
	}
	key, open, weights := lake.ModelKey, openCheckpoint, files.Model
	if files.Safetensors != nil {
		key, open, weights = lake.SafetensorsKey, openSafetensors, files.Safetensors
	}
	c, err := open(weights)
	if err != nil {
		return nil, err
	}
	m := &Model{scale: scale, encode: encode}
	if err := m.readTower(c); err != nil {
		return nil, &Invalid{key, err}
	}
	return m, nil
}

func (m *Model) readTower(c *checkpoint) error {
	dict, err := findStateDict(c.root)
	if err != nil {
		return err
	}
	layers, err := layersOf(dict)
	if err != nil {
		return err
	}
	user, err := userTower(layers, 1+m.encode.columns, !c.unordered)
	if err != nil {
		return err
	}
	if user.numbers() > maxNumbers {
		return fmt.Errorf("the tower %.60q holds more than %d numbers", user.name, maxNumbers)
	}
	for i, l := range user.layers {
		dense, err := c.dense(l)
		if err != nil {
			return fmt.Errorf("reading the layer %.60q: %w", l.path, err)
		}
		if i == 0 {
			m.first = dense.byColumn()
			continue
		}
		m.rest = append(m.rest, dense)
	}
	m.scratch.New = func() any { return m.newBuffers() }
	return nil
}

// towerColumns are the features of a handed-over tower, see docs/training.md.
var towerColumns = Columns{Texts: []string{"city", "country"}, Numbers: []string{"creditLimit"}, prices: []bool{false}}

// UserColumns returns the facts that Embed takes. A record's facts are found by these names, once a model.
func (m *Model) UserColumns() Columns {
	if m.linear != nil {
		return m.linear.User.columnsOf()
	}
	return towerColumns
}

// ItemColumns returns the facts that EmbedItems takes.
func (m *Model) ItemColumns() Columns {
	if m.linear != nil {
		return m.linear.Item.columnsOf()
	}
	return Columns{}
}

// Dimension is the length of an embedding.
func (m *Model) Dimension() int {
	if m.linear != nil {
		return m.linear.Dimension
	}
	if len(m.rest) > 0 {
		return len(m.rest[len(m.rest)-1].bias)
	}
	return len(m.first.bias)
}

// ForUnseen reports a model for customers without ratings. A stored vector, learned from ratings, goes before it. So
// it is with linear models.
func (m *Model) ForUnseen() bool { return m.linear != nil }

// Embed computes the embeddings of users, Records of UserColumns, into dst, one after the other, len(users) × Dimension() numbers, each of
// length 1, save with a linear model. A user without a direction (all zeros, or numbers beyond float32) gets zeros,
// and their index is in undirected. It allocates nothing unless there are such users or names beyond ASCII. Error:
// dst is of another length.
func (m *Model) Embed(dst []float32, users []Record) (undirected []int, err error) {
	dimension := m.Dimension()
	if len(dst) != len(users)*dimension {
		return nil, fmt.Errorf("embedding %d users of dimension %d into %d numbers", len(users), dimension, len(dst))
	}
	if m.linear != nil {
		for i := range users {
			if !m.linear.User.embed(dst[i*dimension:(i+1)*dimension], m.linear.userMap, users[i]) {
				undirected = append(undirected, i)
			}
		}
		return undirected, nil
	}
	b := m.scratch.Get().(*buffers)
	defer m.scratch.Put(b)
	for i := range users {
		if !m.embed(dst[i*dimension:(i+1)*dimension], users[i], b) {
			undirected = append(undirected, i)
		}
	}
	return undirected, nil
}

// EmbedItems is Embed for items, Records of ItemColumns. Errors: dst is of another length, or the model is not linear, because towers are
// read for users only.
func (m *Model) EmbedItems(dst []float32, items []Record) (undirected []int, err error) {
	if m.linear == nil {
		return nil, errors.New("the model embeds no items")
	}
	dimension := m.Dimension()
	if len(dst) != len(items)*dimension {
		return nil, fmt.Errorf("embedding %d items of dimension %d into %d numbers", len(items), dimension, len(dst))
	}
	for i := range items {
		if !m.linear.Item.embed(dst[i*dimension:(i+1)*dimension], m.linear.itemMap, items[i]) {
			undirected = append(undirected, i)
		}
	}
	return undirected, nil
}

// ErrNoDirection: the model's output for the user is zero or not finite, so it points nowhere.
var ErrNoDirection = errors.New("the model gives this user no direction")

// UserEmbedding is Embed for one user. Error: ErrNoDirection.
func (m *Model) UserEmbedding(user Record) ([]float32, error) {
	embedding := make([]float32, m.Dimension())
	undirected, err := m.Embed(embedding, []Record{user})
	if err != nil {
		return nil, err
	}
	if len(undirected) > 0 {
		return nil, ErrNoDirection
	}
	return embedding, nil
}
