package shopfile

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/shape"
)

// files reads the pattern of files' names.
func (r *reader) files(n *yaml.Node, query *shape.Query) {
	text, ok := r.text(n)
	query.Files, query.Line = text, n.Line
	if !ok {
		return
	}
	if _, err := path.Match(text, ""); err != nil || text == "" || strings.HasPrefix(text, "/") || strings.Contains(text, "..") {
		r.missf(n, "the files %q", "a pattern of names below the source's folder, as orders-*.csv or 2026/*/events.parquet", shortened(text))
	}
}

// names reads the files' own names of columns, by the names that rows have.
func (r *reader) names(n *yaml.Node, query *shape.Query) {
	query.Names = map[string]string{}
	r.each(n, "names", func(key, value *yaml.Node) {
		if text, ok := r.text(value); ok && text != "" {
			query.Names[key.Value] = text
		}
	})
}

// origin reports a table that has neither a query nor files, or both, or names that belong to nothing.
func (r *reader) origin(n *yaml.Node, what string, query shape.Query) {
	switch {
	case n.Kind != yaml.MappingNode:
	case query.SQL == "" && query.Files == "" && !has(n, "query") && !has(n, "files"):
		r.missf(n, "%s lacks %q", "the key %s, or files", what, "query", "query")
	case has(n, "query") && has(n, "files"):
		r.missf(n, "%s has a query and files", "one of them", what)
	case has(n, "names") && !has(n, "files"):
		r.missf(n, "%s has names and no files", "names with files. A query names its columns with AS", what)
	case has(n, "count") && has(n, "files"):
		r.missf(n, "%s has files and count", "count with a query alone", what)
	}
}

// oneOrigin reports a shop of which one table lies in a database and another one in files.
func (r *reader) oneOrigin(root *yaml.Node, shop shape.Shop) {
	queries := append([]shape.Query{shop.Source.Customers, shop.Source.Products}, shop.Source.Interactions...)
	var inFiles, inDatabase bool
	for _, query := range queries {
		inFiles, inDatabase = inFiles || query.Files != "", inDatabase || query.SQL != ""
	}
	if inFiles && inDatabase {
		r.missf(root, "queries and files in one shop", "all tables in a database, or all in files")
	}
}

// has reports whether an object has a key.
func has(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}
