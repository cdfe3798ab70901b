package main

import (
	"strings"
	"testing"

	"recsys/shared/vectorstore"
)

// TestIndexServesTheQueries: against 10,000 items every search of a batch goes through the HNSW index.
func TestIndexServesTheQueries(t *testing.T) {
	w := setup(t)
	number := w.load(version{items: manyItems(10_000), users: manyUsers(1000), popularity: popularity})
	active, found, err := vectorstore.ReadActive(t.Context(), w.loader)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	for _, size := range []int{2, 1000} {
		entries := parse(batch(sessions(size)...).Records)
		questions := make([]question, len(entries))
		for i := range entries {
			questions[i].record = &entries[i].record
			if i%2 == 0 {
				questions[i].vector = direction(float64(i)/7, dimension)
			}
		}
		searches := 0
		asking := asking{version: active, options: w.handler.index.options, questions: questions, now: w.handler.now()}
		for _, query := range asking.batch().QueuedQueries {
			if !strings.Contains(query.SQL, active.Metric.Operator()) {
				continue
			}
			searches++
			if plan := w.explain(query.SQL, query.Arguments); !strings.Contains(plan, "Index Scan using "+vectorstore.ItemIndex(number)) {
				t.Errorf("batch of %d: the index is not used:\n%s", size, plan)
			}
		}
		if searches != 2 {
			t.Errorf("%d searches, want recommended and similar", searches)
		}
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
