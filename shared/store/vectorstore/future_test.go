package vectorstore_test

import (
	"testing"
	"time"

	"recsys/shared/store/vectorstore"
)

// A clock that was ahead has left a snapshot of the future. The next one takes its place, and is then as new as any.
func testSnapshotOfTheFuture(t *testing.T, d *database) {
	version := d.allocate("run-1")
	load := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(3, 2)}
	load.Snapshot = vectorstore.Snapshot{Name: "future", Of: time.Now().Add(48 * time.Hour)}
	_, err := load.Run(t.Context(), d.loader)
	d.must(err)
	_, err = vectorstore.Activate(t.Context(), d.loader, version, 1, 40)
	d.must(err)
	for _, step := range []struct {
		name      string
		of        time.Time
		refreshes bool
	}{
		{"present", time.Now(), true}, {"past", time.Now().Add(-time.Hour), false}, {"soon", time.Now().Add(time.Minute), true},
	} {
		refreshed, err := vectorstore.Refresh(t.Context(), d.loader, version, vectorstore.Snapshot{Name: step.name, Of: step.of})
		if err != nil || refreshed != step.refreshes {
			t.Errorf("%s: refreshed %t, %v", step.name, refreshed, err)
		}
	}
}
