// Package sample is the default content of the local mode: the shop that package sampleshop makes by default,
// artifacts trained on exactly that shop, and activity of its customers.
//
// The shop itself is made when it is needed (sampleshop.WriteSQL). The rest is committed here and embedded. A test
// holds the two together. README.md says how the files were made.
package sample

import (
	"embed"
	"io/fs"

	"recsys/shared/shop/sampleshop"
)

// all: because files whose names begin with '_' are left out otherwise.
//
//go:embed all:artifacts
var artifacts embed.FS

//go:embed sessions.jsonl
var sessions []byte

// Options are those of the shop that the artifacts were trained on.
func Options() sampleshop.Options { return sampleshop.Default() }

// Artifacts are the files of the ml-artifacts bucket, by their keys: embeddings/, model/, scalers/.
func Artifacts() fs.FS {
	files, err := fs.Sub(artifacts, "artifacts")
	if err != nil {
		panic(err) // the path is a constant
	}
	return files
}

// Sessions are sampleshop.DefaultSessions records of activity, one JSON object a line. The caller gets a copy.
func Sessions() []byte { return append([]byte(nil), sessions...) }
