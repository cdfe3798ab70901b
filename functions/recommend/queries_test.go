package main

import (
	"strings"
	"testing"
)

// TestIndexServesTheQueries: against 10,000 items every search of a batch goes through the HNSW index.
func TestIndexServesTheQueries(t *testing.T) {
	w := setup(t)
	number := w.load(version{items: manyItems(10_000), users: manyUsers(1000), popularity: popularity})
	for _, size := range []int{2, 1000} {
		w.wantIndex(number, parse(batch(sessions(size)...).Records))
	}
}

// explain plans a query as the handler's connections do, with its parameters known.
func (w *world) explain(sql string, arguments []any) string {
	w.Helper()
	rows, err := w.handler.index.pool.Query(w.Context(), "explain "+sql, arguments...)
	w.must(err)
	var plan strings.Builder
	for rows.Next() {
		var line string
		w.must(rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	w.must(rows.Err())
	return plan.String()
}
