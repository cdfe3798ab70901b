package shops

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/db/provision"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/shopfile"
)

func small(t *testing.T) *Shop {
	t.Helper()
	shop, err := New(Small())
	if err != nil {
		t.Fatal(err)
	}
	return shop
}

// load makes the platform's database and opens it.
func (p Platform) load(t *testing.T, server *mysql.Server, shop *Shop) *sql.DB {
	t.Helper()
	var dump bytes.Buffer
	if err := p.Write(&dump, shop); err != nil {
		t.Fatal(err)
	}
	if _, err := server.LoadSQL(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", server.DSNOf(p.Database)+"?time_zone=%27%2B00%3A00%27")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, table := range query(t, db, "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()") {
		query(t, db, "ANALYZE TABLE "+table["name"]) // else explain sees the statistics of empty tables
	}
	return db
}

// file reads the platform's shop file: one that the documents offer, or one of this package.
func (p Platform) file(t *testing.T) shape.Shop {
	t.Helper()
	root, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "docs", "shops", p.Name+".yaml")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join("testdata", p.Name+".yaml")
	}
	shop, err := shopfile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if shop.Source.Database != p.Database {
		t.Errorf("the shop file's database is %q, the platform's %q", shop.Source.Database, p.Database)
	}
	return shop
}

// record is a row of texts by the names of the columns. A column that is NULL is not in it.
type record map[string]string

func query(t *testing.T, db *sql.DB, statement string, arguments ...any) (records []record) {
	t.Helper()
	found, err := db.QueryContext(context.Background(), statement, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := found.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		r := record{}
		for i, value := range values {
			if value.Valid {
				r[columns[i]] = value.String
			}
		}
		records = append(records, r)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}

// within puts a condition in place of {{range KEY}}.
func within(q shape.Query, condition string) string {
	before, rest, _ := strings.Cut(q.SQL, "{{")
	_, after, _ := strings.Cut(rest, "}}")
	return before + "(" + strings.ReplaceAll(condition, "KEY", q.Key) + ")" + after
}

// bounds returns keys that cut the query's customers into five ranges.
func bounds(t *testing.T, db *sql.DB, q shape.Query) (keys []any) {
	t.Helper()
	found := query(t, db, "SELECT range_key FROM ("+q.Count+") q WHERE range_key IS NOT NULL ORDER BY range_key")
	for i := 1; i < 5; i++ {
		keys = append(keys, []byte(found[i*len(found)/5]["range_key"]))
	}
	return keys
}

// inRanges reads the query range by range.
func inRanges(t *testing.T, db *sql.DB, q shape.Query) []record {
	t.Helper()
	keys := bounds(t, db, q)
	found := query(t, db, within(q, "KEY <= ? OR KEY IS NULL"), keys[0])
	for i := range keys[1:] {
		found = append(found, query(t, db, within(q, "KEY > ? AND KEY <= ?"), keys[i], keys[i+1])...)
	}
	return append(found, query(t, db, within(q, "KEY > ?"), keys[len(keys)-1])...)
}

// sorted returns the records as lines, in an order of their own.
func sorted(records []record) (lines []string) {
	for _, r := range records {
		lines = append(lines, strings.Join([]string{r["customer"], r["product"], r["at"], r["quantity"], r["value"]}, "|"))
	}
	slices.Sort(lines)
	return lines
}
