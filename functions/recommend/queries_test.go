package main

import (
	"strings"
	"testing"
)

// TestIndexServesTheQueries: against 10,000 items every search of a batch goes through the HNSW index.
func TestIndexServesTheQueries(t *testing.T) {
	w := setup(t)
	number := w.load(version{items: manyItems(10_000), users: manyUsers(1000), popularity: popularity})
	w.wantIndex(number, parse(batch(sessions(2)...).Records))
}

// explain is the plan of a query that the handler's connections use, whatever its parameters are.
func (w *world) explain(sql string) string {
	w.Helper()
	conn, err := w.handler.index.pool.Acquire(w.Context())
	w.must(err)
	defer conn.Release()
	// Past pgx, which would want the parameters.
	results, err := conn.Conn().PgConn().Exec(w.Context(), "explain (generic_plan) "+sql).ReadAll()
	w.must(err)
	var plan strings.Builder
	for _, row := range results[0].Rows {
		plan.Write(append(row[0], '\n'))
	}
	return plan.String()
}
