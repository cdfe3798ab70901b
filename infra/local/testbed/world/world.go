// Package world gives a test of one function the real servers around it: a vector database and buckets of its own.
//
// It writes to temporary folders only. Everything ends with the test.
package world

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/infra/local/aws/s3"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/settings"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// Database is an empty vector database on a server that tests may share.
type Database struct {
	testing.TB
	Postgres *postgres.Server
	Owner    string // URL

	name string
}

// URL returns that of the database for a role.
func (d *Database) URL(role string) string { return d.Postgres.URLOf(role, d.name) }

// NewDatabase makes a database of the test's name and bootstraps it.
func NewDatabase(tb testing.TB, server *postgres.Server) *Database {
	tb.Helper()
	d := &Database{TB: tb, Postgres: server, name: nameFor(tb)}
	var err error
	d.Owner, err = server.NewDatabase(tb.Context(), d.name)
	d.Must(err)
	conn, err := pgx.Connect(tb.Context(), d.Owner)
	d.Must(err)
	d.Must(vectorstore.Bootstrap(tb.Context(), conn))
	d.Must(conn.Close(tb.Context()))
	return d
}

// maxName is PostgreSQL's limit, in bytes.
const maxName = 63

func nameFor(tb testing.TB) string {
	name := strings.ToLower(strings.NewReplacer("/", "_", "-", "_", ",", "").Replace(tb.Name()))
	return name[max(0, len(name)-maxName):]
}

// Must ends the test if err is not nil.
func (d *Database) Must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// Pool connects as a role. It is closed with the test.
func (d *Database) Pool(role string, change ...func(*vectorstore.Config)) *pgxpool.Pool {
	d.Helper()
	return d.connect(d.URL(role), change...)
}

func (d *Database) connect(url string, change ...func(*vectorstore.Config)) *pgxpool.Pool {
	d.Helper()
	config := vectorstore.Config{VectorStore: settings.VectorStore{URL: url}, Application: "test"}
	for _, change := range change {
		change(&config)
	}
	pool, err := vectorstore.Connect(d.Context(), config)
	d.Must(err)
	d.Cleanup(pool.Close)
	return pool
}

// Texts returns the one text column that a query selects.
func (d *Database) Texts(db *pgxpool.Pool, sql string, arguments ...any) []string {
	d.Helper()
	rows, err := db.Query(d.Context(), sql, arguments...)
	d.Must(err)
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	d.Must(err)
	return texts
}

// World is a vector database and an S3.
type World struct {
	*Database
	S3 *s3.Server
}

// New starts an S3 beside a new database.
func New(tb testing.TB, server *postgres.Server) *World {
	tb.Helper()
	w := &World{Database: NewDatabase(tb, server)}
	var err error
	w.S3, err = s3.Start(tb.Context(), s3.Config{Dir: testbed.TempDir(tb)})
	w.Must(err)
	tb.Cleanup(func() { _ = w.S3.Close() })
	return w
}

// Bucket makes an empty bucket, and reaches it as the functions do: by the environment, which the test then has. A call
// that fails is not tried again.
func (w *World) Bucket(name string) *objectstore.Store {
	w.Helper()
	w.Must(w.S3.CreateBucket(name))
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": w.S3.URL(), "AWS_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "local",
	} {
		w.Setenv(key, value)
	}
	client, err := objectstore.NewClient(w.Context())
	w.Must(err)
	return objectstore.New(client, name)
}
