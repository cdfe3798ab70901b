package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/store/vectorstore"
)

// HNSW are pgvector's build parameters. https://github.com/pgvector/pgvector#index-options
type HNSW struct {
	M              int // links of a node in a layer, 2 to 100
	EfConstruction int // candidates while building, 4 to 1,000, at least 2m
}

// build makes the version's index as it should be, and collects the planner's statistics. The lock makes a
// second attempt wait for a build that goes on although its function was killed.
func (p HNSW) build(ctx context.Context, db *pgxpool.Pool, version vectorstore.Record) error {
	doing := fmt.Sprintf("indexing version %d", version.Version)
	table, index := vectorstore.ItemTable(version.Version), vectorstore.ItemIndex(version.Version)
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		var extension string
		if _, err := tx.Exec(ctx, `set local lock_timeout = '10min'`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext($1))`, table); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select extversion from pg_extension where extname = 'vector'`).Scan(&extension); err != nil {
			return err
		}
		if err := p.dropOther(ctx, tx, index); err != nil {
			return err
		}
		if buildsSerially(extension) {
			if _, err := tx.Exec(ctx, `set local max_parallel_maintenance_workers = 0`); err != nil {
				return err
			}
		}
		// The server's buffers follow its memory, and so does the memory of a build.
		var buffers int64
		if err := tx.QueryRow(ctx, `select pg_size_bytes(current_setting('shared_buffers')) >> 20`).Scan(&buffers); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(`set local maintenance_work_mem = '%dMB'`, p.memory(version, buffers)))
		if err == nil {
			_, err = tx.Exec(ctx, fmt.Sprintf(`create index if not exists %s on %s using hnsw (embedding %s) with (m = %d, ef_construction = %d)`,
				index, table, version.Metric.OperatorClass(), p.M, p.EfConstruction))
		}
		return err
	})
	if err == nil {
		// VACUUM also notes which pages all may see: the probes of user_item are answered from its index alone.
		_, err = db.Exec(ctx, `vacuum (analyze) `+strings.Join(vectorstore.Tables(version.Version), ", "))
	}
	return vectorstore.Wrap(doing, err)
}

// dropOther drops an index that an earlier run built with other parameters.
func (p HNSW) dropOther(ctx context.Context, tx pgx.Tx, index string) error {
	var options []string
	err := tx.QueryRow(ctx, `select coalesce((select reloptions from pg_class where oid = to_regclass($1)), '{}')`,
		vectorstore.Schema+"."+index).Scan(&options)
	if err != nil || len(options) == 0 {
		return err
	}
	if slices.Contains(options, fmt.Sprintf("m=%d", p.M)) && slices.Contains(options, fmt.Sprintf("ef_construction=%d", p.EfConstruction)) {
		return nil
	}
	_, err = tx.Exec(ctx, `drop index `+vectorstore.Schema+"."+index)
	return err
}

// memory returns how much the graph takes while it is built, in MB. An index that does not fit is finished on disk, far
// slower. It takes no more than the server's buffers, and no less than PostgreSQL's default.
func (p HNSW) memory(version vectorstore.Record, buffers int64) int64 {
	const (
		overhead = 256 // of a node, estimated: tuple, layers, allocation
		least    = 64
	)
	node := int64(4*version.Dimension + 2*p.M*16 + overhead)
	return max(min(version.ItemCount*node*5/4>>20, buffers), least)
}

// buildsSerially is true of the releases of pgvector whose parallel HNSW build has CVE-2026-3172: 0.6.0 to 0.8.1.
func buildsSerially(extension string) bool {
	var parts [3]int
	for i, part := range strings.SplitN(extension, ".", len(parts)) {
		parts[i], _ = strconv.Atoi(part)
	}
	return slices.Compare(parts[:], []int{0, 6, 0}) >= 0 && slices.Compare(parts[:], []int{0, 8, 1}) <= 0
}
