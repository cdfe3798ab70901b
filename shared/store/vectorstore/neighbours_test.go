package vectorstore_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/lake"
	"recsys/shared/store/vectorstore"
)

// Neighbours come with a version and go with it. A rollback leads back to one whose vectors rank alone, also to one of an
// earlier release, which has no table for them.
func testNeighbours(t *testing.T, d *database) {
	history := func(name string, second int64, seen string) vectorstore.Snapshot {
		return vectorstore.Snapshot{Name: name, Of: time.Unix(second, 0), Rated: pgx.CopyFromRows([][]any{{"1", "S0"}}),
			Seen: pgx.CopyFromRows([][]any{{"1", "S0"}, {"1", seen}, {"1", seen}})}
	}
	activate := func(run string, neighbours *vectorstore.Neighbours, catalogue string) int64 {
		t.Helper()
		version := d.allocate(run)
		_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(3, 2),
			Neighbours: neighbours, Catalogue: catalogue, Snapshot: history("s1", 1, "S1")}.Run(t.Context(), d.loader)
		d.must(err)
		_, err = vectorstore.Activate(t.Context(), d.loader, version, 1, 40)
		d.must(err)
		return version
	}
	reader := d.pool(vectorstore.ReaderRole)
	answers := func(version int64, kind string, beta float64, catalogue string) {
		t.Helper()
		got, found, err := vectorstore.ReadActive(t.Context(), reader)
		if err != nil || !found || got.Version != version || got.BlendKind != kind || got.BlendBeta != beta || got.Catalogue != catalogue {
			t.Errorf("%+v answers, %t, %v; want version %d with %s, %v and the catalogue %s", got, found, err, version, kind, beta, catalogue)
		}
		record, _, err := vectorstore.OfVersion(t.Context(), d.loader, version)
		if err != nil || record.BlendKind != kind || record.BlendBeta != beta {
			t.Errorf("its row says %s and %v, %v", record.BlendKind, record.BlendBeta, err)
		}
	}
	earlier := activate("run-1", nil, "")
	_, err := d.loader.Exec(t.Context(), `drop table `+vectorstore.NeighbourTable(earlier))
	d.must(err)
	with := activate("run-2", &vectorstore.Neighbours{Kind: lake.EASE, Beta: 0.25, Rows: pgx.CopyFromRows([][]any{
		{"S0", int32(0), []int32{1, 7}, []float32{0.5, -0.25}}, {"S1", int32(1), []int32{}, []float32{}}, {"S9", int32(7), []int32{0}, []float32{1}},
	})}, "0a1b2c3d")
	answers(with, lake.EASE, 0.25, "0a1b2c3d")
	if got := d.text(reader, `select string_agg(item || number || targets::text || weights::text, ' ' order by number) from `+vectorstore.NeighbourTable(with)); got != "S00{1,7}{0.5,-0.25} S11{}{} S97{0}{1}" {
		t.Errorf("its neighbours are %s", got)
	}
	seen := func(version int64, want string) {
		t.Helper()
		if got := d.text(reader, `select coalesce(string_agg(customer || item, ' ' order by customer, item), '') from `+vectorstore.HistoryTable(version)); got != want {
			t.Errorf("the history of version %d is %q next to the rated items, want %q", version, got, want)
		}
	}
	seen(earlier, "")
	seen(with, "1S1")
	_, err = vectorstore.Refresh(t.Context(), d.loader, with, history("s2", 2, "S2"))
	d.must(err)
	seen(with, "1S2")
	_, err = vectorstore.Rollback(t.Context(), d.loader, "back")
	d.must(err)
	answers(earlier, "", 0, "")
	alone := activate("run-3", nil, "other")
	answers(alone, "", 0, "other")
	if got := d.text(reader, `select count(*)::text from `+vectorstore.NeighbourTable(alone)); got != "0" {
		t.Errorf("a version whose vectors rank alone has %s neighbours", got)
	}
	activate("run-4", nil, "")
	if dropped, err := vectorstore.DropOld(t.Context(), d.loader, 2); err != nil || len(dropped) != 2 {
		t.Errorf("dropped %v, %v; want the first two", dropped, err)
	}
	if got := d.text(d.loader, `select string_agg(tablename, ' ' order by tablename) from pg_tables where tablename like 'item\_neighbour%'`); got != "item_neighbour_3 item_neighbour_4" {
		t.Errorf("the tables of neighbours are %s", got)
	}
}
