// Package sourcefiles reads a shop from files in place of a database: exports and data sets as CSV, NDJSON or Parquet.
//
// The files lie under lake.SourcePrefix. The shop file names them by patterns, and its `names` say which of their columns
// mean what. Read goes over each file once, into a spool on the scratch disk, and finds types and ranges. Write sorts each
// range and writes it as the raw files that extract writes of a database. Memory holds one range.
//
// Failures are failure.SchemaMismatch if the files do not fit the shop, and failure.ObjectStoreUnavailable.
package sourcefiles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/source"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Source is the files of a shop.
type Source struct{ Lake *objectstore.Store }

// Split is a shop's rows on the scratch disk. Close frees them.
type Split struct {
	Shop   shape.Shop // with all types
	bounds []bound    // of the ranges, ascending: each but the last range ends with one
	tables map[training.TableName]*spool
	counts counts
}

type counts struct{ interactions, customers, products int64 }

// Survey returns the facts that planning needs.
func (s *Split) Survey() source.Survey {
	return source.Survey{Shop: s.Shop, Interactions: s.counts.interactions, Customers: s.counts.customers, Products: s.counts.products}
}

// Close frees the scratch disk.
func (s *Split) Close() error {
	var err error
	for _, table := range s.tables {
		err = errors.Join(err, table.close())
	}
	return err
}

// Read reads all files of a shop. Ranges have about so many interactions, and there are at most so many.
func (s Source) Read(ctx context.Context, shop shape.Shop, rowsPerRange int64, maxRanges int) (*Split, error) {
	zone, err := time.LoadLocation(shop.Source.Timezone)
	if err != nil {
		return nil, failure.SchemaMismatch.Errorf("shop file %s: the time zone %q: %w", shop.Name, shop.Source.Timezone, err)
	}
	objects, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	r := &reading{source: s, shop: shop, zone: zone, objects: objects, split: &Split{tables: map[training.TableName]*spool{}}}
	if err := r.all(ctx); err != nil {
		return nil, errors.Join(err, r.split.Close())
	}
	r.resolve(rowsPerRange, maxRanges)
	return r.split, nil
}

// list returns all files of the source, by their names.
func (s Source) list(ctx context.Context) (objects []objectstore.Object, err error) {
	err = s.Lake.List(ctx, lake.SourcePrefix, func(o objectstore.Object) error {
		if !strings.HasSuffix(o.Key, "/") {
			objects = append(objects, o)
		}
		return nil
	})
	slices.SortFunc(objects, func(a, b objectstore.Object) int { return strings.Compare(a.Key, b.Key) })
	return objects, err
}

// matching returns the files that a query's pattern names. There has to be one at least.
func (r *reading) matching(query shape.Query) (matches []objectstore.Object, err error) {
	for _, o := range r.objects {
		name := strings.TrimPrefix(o.Key, lake.SourcePrefix)
		ok, err := path.Match(query.Files, name)
		if err != nil {
			return nil, r.faultf(query, "the pattern %q: %w", query.Files, err)
		}
		if ok {
			matches = append(matches, o)
		}
	}
	if len(matches) == 0 {
		return nil, r.faultf(query, "no file is named like %q: %d files lie under %s", query.Files, len(r.objects), r.source.Lake.URI(lake.SourcePrefix))
	}
	return matches, nil
}

// faultf names the query in the shop file.
func (r *reading) faultf(query shape.Query, format string, args ...any) error {
	return failure.SchemaMismatch.Errorf("shop file %s, line %d, %s: %w", r.shop.Name, query.Line, query.Name, fmt.Errorf(format, args...))
}

// fingerprint tells whether another attempt reads the same files.
func fingerprint(objects []objectstore.Object) string {
	hash := sha256.New()
	for _, o := range objects {
		fmt.Fprintf(hash, "%s %s %d\n", o.Key, o.ETag, o.Size)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
