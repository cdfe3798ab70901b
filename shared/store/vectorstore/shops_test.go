package vectorstore_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/shape"
	"recsys/shared/store/vectorstore"
)

// shopOf is a shop with a file, of the name and the type of its customers' ids.
func shopOf(name string, customer shape.Type) *shape.Shop {
	return &shape.Shop{
		Name: name, Hash: "of " + name, Group: "region", Line: "genre", Layout: shape.ByRange,
		Customer: shape.ID{Name: "customer", Type: customer}, Product: shape.ID{Name: "product", Type: shape.Text},
		Source: shape.Source{Interactions: []shape.Query{{Name: "orders", SQL: "select", Type: shape.Purchase}}},
	}
}

// snapshotOf has one pair of a customer, and two products.
func snapshotOf(shop *shape.Shop, second int64, customer string) vectorstore.Snapshot {
	return vectorstore.Snapshot{Name: fmt.Sprint("s", second), Of: time.Unix(second, 0), Shop: shop,
		Popularity: pgx.CopyFromRows([][]any{{"north", "S1", 0.25}, {"south", "S1", 0.5}, {"south", "S2", 1.5}}),
		Rated:      pgx.CopyFromRows([][]any{{customer, "S1"}, {customer, "S1"}}),
		Products:   pgx.CopyFromRows([][]any{{"S1", "Ships", int32(1)}, {"S2", "Cars", nil}, {"S3", "", nil}}), Whole: true}
}

// activated loads a version with one customer from a snapshot and makes it the active one.
func (d *database) activated(run, customer string, s vectorstore.Snapshot) int64 {
	d.t.Helper()
	version := d.allocate(run)
	users := pgx.CopyFromRows([][]any{{customer, pgvector.NewVector([]float32{1, 2})}})
	_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users, Snapshot: s}.Run(d.t.Context(), d.loader)
	d.must(err)
	active, err := vectorstore.Activate(d.t.Context(), d.loader, version, 1, 40)
	d.must(err)
	if active.Version != version {
		d.t.Fatalf("version %d is active, want %d", active.Version, version)
	}
	return version
}

// holds checks the type and the ids of both tables with customers. WithoutModel has no user.
func (d *database) holds(version int64, idType, customer string) {
	d.t.Helper()
	for column, table := range map[string]string{"id": vectorstore.UserTable(version), "customer": vectorstore.RatedTable(version)} {
		got := d.text(d.loader, fmt.Sprintf(`select coalesce((select string_agg(%s::text, ' ') from %s), '') || ' ' ||
			(select format_type(atttypid, atttypmod) from pg_attribute where attrelid = '%s'::regclass and attname = '%s')`, column, table, table, column))
		want := customer + " " + idType
		if version == vectorstore.WithoutModel && column == "id" {
			want = " " + idType
		}
		if got != want {
			d.t.Errorf("%s holds %q, want %q", table, got, want)
		}
	}
}

// Each type goes through a load, a refresh and a rollback to a version of another type.
func testIDTypes(t *testing.T, d *database) {
	d.activated("lab", "103", snapshotOf(nil, 1, "103"))
	d.holds(1, "integer", "103")
	reader := d.pool(vectorstore.ReaderRole)
	for i, c := range []struct {
		of           shape.Type
		name         string
		customer     string
		newer, wrong string
	}{
		{shape.Int, "integer", "-2147483648", "7", "2147483648"},
		{shape.BigInt, "bigint", "9007199254740993", "-9223372036854775808", "9223372036854775808"},
		{shape.Text, "text", "ünïque 'id'", "0b7f", ""},
	} {
		second := int64(10 * (i + 1))
		shop := shopOf(string(c.of), c.of)
		version := d.activated("run-"+c.name, c.customer, snapshotOf(shop, second, c.customer))
		d.holds(version, c.name, c.customer)
		active, found, err := vectorstore.ReadActive(t.Context(), reader)
		if err != nil || !found || !reflect.DeepEqual(active.Shop, shop) {
			t.Errorf("the reader sees the shop %+v, %v; want %+v", active.Shop, err, shop)
		}
		changed := *shop
		changed.Hash, changed.Meaning.Repeatable = "another", true
		refreshed, err := vectorstore.Refresh(t.Context(), d.loader, version, snapshotOf(&changed, second+1, c.customer))
		if record, _, _ := vectorstore.OfVersion(t.Context(), d.loader, version); err != nil || !refreshed || !reflect.DeepEqual(record.Shop, &changed) {
			t.Errorf("refreshed %t, %v, with the shop %+v; want the changed file's", refreshed, err, record.Shop)
		}
		if _, err = vectorstore.Refresh(t.Context(), d.loader, version, snapshotOf(&changed, second+2, c.newer)); err != nil {
			t.Error(err)
		}
		if got := d.text(d.loader, `select customer::text from `+vectorstore.RatedTable(version)); got != c.newer {
			t.Errorf("after the refresh it holds %s, want %s", got, c.newer)
		}
		if c.wrong != "" {
			if _, err := vectorstore.Refresh(t.Context(), d.loader, version, snapshotOf(&changed, second+3, c.wrong)); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("the id %s: %v", c.wrong, err)
			}
		}
		before, err := vectorstore.Rollback(t.Context(), d.loader, "back from "+c.name)
		if err != nil || before.Version != 1 || before.Shop != nil {
			t.Fatalf("rolled back to %+v, %v; want the lab's version", before, err)
		}
		if got := d.text(reader, `select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'recsys.user_emb'::regclass and attname = 'id'`); got != "integer" {
			t.Errorf("the view's ids are %s", got)
		}
	}
}

// Counts with fractions are added up exactly, over the groups and in all.
func testDecayedCounts(t *testing.T, d *database) {
	version := d.activated("run-1", "a", snapshotOf(shopOf("films", shape.Text), 1, "a"))
	got := d.text(d.loader, `select string_agg(concat_ws(' ', nullif(country, ''), item, count), ', ' order by country, item) from `+vectorstore.PopularityTable(version))
	if want := "S0 0, S1 0.75, S2 1.5, north S1 0.25, south S1 0.5, south S2 1.5"; got != want {
		t.Errorf("popularity %s, want %s", got, want)
	}
	if got := d.text(d.loader, `select string_agg(concat_ws(' ', item, line, stock), ', ' order by item) from `+vectorstore.AttributeTable(version)); got != "S1 Ships 1, S2 Cars 2147483647" {
		t.Errorf("attributes %s", got)
	}
}

// An earlier release made the count of its versions a bigint. Their snapshots have whole counts, and rows that are the same stay.
func testCountsOfAnEarlierRelease(t *testing.T, d *database) {
	snapshot := func(second int64, north float64) vectorstore.Snapshot {
		s := snapshotOf(nil, second, "103")
		s.Popularity = pgx.CopyFromRows([][]any{{"north", "S1", north}, {"south", "S1", 2.0}})
		return s
	}
	version := d.activated("run-1", "103", snapshot(1, 1))
	table := vectorstore.PopularityTable(version)
	_, err := d.loader.Exec(t.Context(), `alter table `+table+` alter column count type bigint`)
	d.must(err)
	south := d.text(d.loader, `select ctid::text from `+table+` where country = 'south'`)
	refreshed, err := vectorstore.Refresh(t.Context(), d.loader, version, snapshot(2, 4))
	if got := d.text(d.loader, `select string_agg(country || count, ' ' order by country) from `+table+` where item = 'S1'`); err != nil || !refreshed || got != "6 north4 south2" {
		t.Errorf("refreshed %t, %v: counts %s", refreshed, err, got)
	}
	if now := d.text(d.loader, `select ctid::text from `+table+` where country = 'south'`); now != south {
		t.Errorf("a row that is the same was at %s and is at %s", south, now)
	}
}

// A deployment gets another shop: its snapshots retire the version of the shop before, and answer without a model.
func testAnotherShop(t *testing.T, d *database) {
	d.activated("lab", "103", snapshotOf(nil, 10, "103"))
	films, songs := shopOf("films", shape.Text), shopOf("songs", shape.BigInt)
	reader := d.pool(vectorstore.ReaderRole)
	answering := func(version int64, shop *shape.Shop) {
		t.Helper()
		active, found, err := vectorstore.ReadActive(t.Context(), reader)
		if err != nil || !found || active.Version != version || !reflect.DeepEqual(active.Shop, shop) {
			t.Errorf("version %d answers, %t, %v, of %+v; want version %d of %+v", active.Version, found, err, active.Shop, version, shop)
		}
	}
	refresh := func(want bool, s vectorstore.Snapshot) {
		t.Helper()
		if got, err := vectorstore.RefreshWithoutModel(t.Context(), d.loader, s); err != nil || got != want {
			t.Errorf("refreshed %t, %v; want %t", got, err, want)
		}
	}
	if _, err := vectorstore.Refresh(t.Context(), d.loader, 1, snapshotOf(films, 11, "a")); err == nil {
		t.Error("the lab's version took the rows of another shop")
	}
	refresh(false, snapshotOf(nil, 11, "103")) // its own shop
	refresh(false, snapshotOf(films, 9, "a"))  // an older snapshot
	answering(1, nil)
	_, err := reader.Exec(t.Context(), `insert into `+vectorstore.TrendingTable+` values (1, '{S1}', '{1}', now())`)
	d.must(err)
	_, err = reader.Exec(t.Context(), `insert into `+vectorstore.CartTable+` (session, item, slot, period, seen_at) values (gen_random_uuid(), 'S1', 1, 1, now())`)
	d.must(err)
	refresh(true, snapshotOf(films, 12, "a"))
	answering(vectorstore.WithoutModel, films)
	if got := d.text(reader, `select (select count(*) from `+vectorstore.TrendingTable+`) || ' ' || (select count(*) from `+vectorstore.CartTable+`)`); got != "0 0" {
		t.Errorf("trends and carts of the lab are left: %s", got)
	}
	d.holds(vectorstore.WithoutModel, "text", "a")
	refresh(true, snapshotOf(songs, 13, "4294967296"))
	answering(vectorstore.WithoutModel, songs)
	refresh(true, snapshotOf(songs, 14, "4294967297"))
	if got := d.text(d.loader, `select string_agg(customer::text, ' ') from `+vectorstore.RatedTable(0)); got != "4294967297" {
		t.Errorf("the shop without a model holds %s", got)
	}
	version := d.activated("songs", "4294967297", snapshotOf(songs, 15, "4294967297"))
	answering(version, songs)
	if before, err := vectorstore.Rollback(t.Context(), d.loader, "back"); err != nil || before.Version != 1 {
		t.Errorf("rolled back to %d, %v", before.Version, err)
	}
	answering(1, nil)
	d.holds(1, "integer", "103")
}
