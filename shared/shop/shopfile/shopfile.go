// Package shopfile reads a shop file: a YAML file with queries over a shop's own tables and the meaning of their columns.
//
// docs/source.md describes the file for people, docs/shops/shop.schema.json for editors. Parse finds the mistakes that show
// without a database. Package source compares the queries with the database.
package shopfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

// Limits of a shop file.
const (
	MaxBytes   = 256 << 10
	maxQueries = 16  // of interactions. They become one UNION ALL
	maxColumns = 100 // of customers, and of products
	maxKinds   = 100 // types of interactions
)

// Names of the ids in training rows.
const (
	CustomerID = "customer"
	ProductID  = "product"
)

var shopName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Parse reads a shop file. path is its path, for messages and for the shop's name. The types of the columns are empty,
// because only the database knows them. The interactions' columns are empty too, because only the queries' results name them.
//
// A file with mistakes is failure.SchemaMismatch. Its Mistakes lists all of them, sorted by line.
func Parse(content []byte, path string) (shape.Shop, error) {
	file := filepath.Base(path)
	r := &reader{file: file}
	if len(content) > MaxBytes {
		r.missf(nil, "a file of more than %d KiB", "at most that", MaxBytes>>10)
		return shape.Shop{}, r.failure()
	}
	name := strings.TrimSuffix(strings.TrimSuffix(file, ".yaml"), ".yml")
	if !shopName.MatchString(name) {
		r.missf(nil, "the file name %q", "1 to 64 letters, digits, - and _ before .yaml", file)
	}
	root := r.load(content)
	if root == nil {
		return shape.Shop{}, r.failure()
	}
	shop := r.shop(root)
	hash := sha256.Sum256(content)
	shop.Name, shop.Hash = name, hex.EncodeToString(hash[:])
	if err := r.failure(); err != nil {
		return shape.Shop{}, err
	}
	return shop, nil
}

// Load reads the shop file of a path. Without a path the shop is shape.Lab.
func Load(path string) (shape.Shop, error) {
	if path == "" {
		return shape.Lab, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return shape.Shop{}, failure.InvalidInput.Errorf("opening the shop file: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return shape.Shop{}, failure.InvalidInput.Errorf("reading the shop file: %w", err)
	}
	return Parse(content, path)
}

// LoadDeployed is Load for a function, whose deployment puts the file next to its program.
func LoadDeployed(path string) (shape.Shop, error) {
	if path == "" || filepath.IsAbs(path) {
		return Load(path)
	}
	program, err := os.Executable()
	if err != nil {
		return shape.Shop{}, fmt.Errorf("finding the function's folder: %w", err)
	}
	return Load(filepath.Join(filepath.Dir(program), path))
}

// shop reads the whole file.
func (r *reader) shop(root *yaml.Node) shape.Shop {
	shop := shape.Shop{
		Customer: shape.ID{Name: CustomerID}, Product: shape.ID{Name: ProductID},
		Meaning: shape.Meaning{Exclude: []string{shape.Purchase, shape.Rating}},
		Layout:  shape.ByRange, Source: shape.Source{Timezone: "UTC"},
	}
	kinds := map[string]bool{}
	var training *yaml.Node
	r.object(root, "the shop file", fields{
		"database":     func(n *yaml.Node) { shop.Source.Database = r.database(n) },
		"timezone":     func(n *yaml.Node) { shop.Source.Timezone = r.timezone(n) },
		"interactions": func(n *yaml.Node) { shop.Source.Interactions = r.interactions(n, kinds) },
		"customers":    func(n *yaml.Node) { r.customers(n, &shop) },
		"products":     func(n *yaml.Node) { r.products(n, &shop) },
		"training":     func(n *yaml.Node) { training = n },
		"rules":        func(n *yaml.Node) { shop.Cleaning.Rules = r.rules(n) },
		"partitions": func(n *yaml.Node) {
			shop.Layout = shape.Layout(r.oneOf(n, string(shape.ByRange), string(shape.ByCustomer)))
		},
	}, "interactions")
	if training != nil { // after the interactions, because it names their types
		r.training(training, &shop.Meaning, kinds)
	}
	r.uniqueColumns()
	r.oneOrigin(root, shop)
	return shop
}

// Error is a shop file with mistakes.
type Error struct{ Mistakes []Mistake }

// Mistake is a place of a shop file that is not as it should be. Line and Column count from 1. They are 0 if the file as a
// whole is wrong.
type Mistake struct {
	File         string
	Line, Column int
	Found        string // with the text of the file, or the thing that is missing
	Wanted       string // and a remedy
}

func (m Mistake) Error() string {
	place := m.File
	if m.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", m.File, m.Line, m.Column)
	}
	return fmt.Sprintf("%s: %s: want %s", place, m.Found, m.Wanted)
}

func (e Error) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, mistake := range e.Mistakes {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// failure returns the mistakes so far as one error, or nil.
func (r *reader) failure() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	return failure.SchemaMismatch.Wrap(Error{r.sorted()})
}
