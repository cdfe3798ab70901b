package vectorstore_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/shared/store/vectorstore"
)

// A shop that does not hold most of a version's items is most likely spelled otherwise, and nobody would see why so
// little is recommended.
func testMostItemsAreGone(t *testing.T, d *database) {
	defer slog.SetDefault(slog.Default())
	version := d.allocate("run-1")
	load := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(5, 2), Users: users(3, 2)}
	_, err := load.Run(t.Context(), d.loader)
	d.must(err)
	_, err = vectorstore.Activate(t.Context(), d.loader, version, 1, 40)
	d.must(err)
	for i, c := range []struct {
		products []string
		warning  string
	}{
		{[]string{"S0", "S1", "S2"}, ""},
		{[]string{"S0", "S1", "T2"}, "gone=3 items=5"},
		{[]string{"T0"}, "gone=5 items=5"},
	} {
		var log bytes.Buffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		var products [][]any
		for _, code := range c.products {
			products = append(products, []any{code, "Ships", int64(1)})
		}
		refreshed, err := vectorstore.Refresh(t.Context(), d.loader, version, vectorstore.Snapshot{
			Name: c.products[0] + c.warning, Of: time.Unix(int64(i+1), 0), Products: pgx.CopyFromRows(products), Whole: true})
		if err != nil || !refreshed {
			t.Fatal(refreshed, err)
		}
		if got := log.String(); strings.Contains(got, "WARN") != (c.warning != "") || !strings.Contains(got, c.warning) {
			t.Errorf("of %v it says %q, want %q", c.products, got, c.warning)
		}
	}
}
