package vectorstore_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"recsys/infra/local/testbed/postgrestest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/store/vectorstore"
)

// earlierBootstrap made databases before versions had an origin. Its table fixes the metrics.
//
//go:embed testdata/earlier-bootstrap.sql
var earlierBootstrap string

const checkViolation = "23514"

// A database of that release is brought up to this one, again and again, with the versions that it holds.
func TestADatabaseOfAnEarlierReleaseIsUpgraded(t *testing.T) {
	server := postgrestest.ForTest(t)
	ctx := t.Context()
	url, err := server.NewDatabase(ctx, "upgraded")
	if err != nil {
		t.Fatal(err)
	}
	owner, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Close(context.WithoutCancel(ctx)) })
	run := func(sql string) {
		t.Helper()
		if _, err := owner.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(version int, metric string, artifacts ...string) error {
		_, err := owner.Exec(ctx, `insert into recsys.embedding_version (version, run, status, metric, artifacts)
			values ($1, $2, 'loading', $3, (select jsonb_object_agg(key, 'etag') from unnest($4::text[]) key))`, version, fmt.Sprint(version), metric, artifacts)
		return err
	}
	run(earlierBootstrap)
	for version, artifact := range map[int]string{1: lake.ItemEmbeddingsKey, 2: lake.TrainingKey} {
		if err := insert(version, "cosine", artifact); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := vectorstore.Bootstrap(ctx, owner); err != nil {
			t.Fatal(err)
		}
	}
	for version, want := range map[int64]vectorstore.Origin{1: vectorstore.HandedOver, 2: vectorstore.Trained} {
		if record, _, err := vectorstore.OfVersion(ctx, owner, version); err != nil || record.Origin != want || record.Shop != nil {
			t.Errorf("version %d is %q, of the shop %+v, %v; want %q, of the lab", version, record.Origin, record.Shop, err, want)
		}
	}
	// A function of the earlier release, which knows no origin, still adds versions.
	if err := insert(3, "l2", lake.TrainingKey, lake.ItemEmbeddingsKey); err != nil {
		t.Fatal(err)
	}
	if record, _, err := vectorstore.OfVersion(ctx, owner, 3); err != nil || record.Origin != vectorstore.Trained {
		t.Errorf("version 3: %+v, %v", record, err)
	}
	if err := insert(4, "manhattan", "a"); !hasCode(err, checkViolation) {
		t.Errorf("a metric that nobody knows: %v", err)
	}
	for range 2 { // a release with one more metric, over a database that holds the check
		run(vectorstore.BootstrapFor(append(distance.Names(), "manhattan")))
	}
	if err := insert(4, "manhattan", "a"); err != nil {
		t.Errorf("a new metric: %v", err)
	}
	if err := insert(5, "dot", "a"); !hasCode(err, checkViolation) {
		t.Errorf("a metric that nobody knows: %v", err)
	}
	var checks string
	if err := owner.QueryRow(ctx, `select string_agg(pg_get_constraintdef(oid), ' ') from pg_constraint
		where conrelid = 'recsys.embedding_version'::regclass and pg_get_constraintdef(oid) like '%metric%'`).Scan(&checks); err != nil || strings.Count(checks, "CHECK") != 1 {
		t.Errorf("checks of the metric: %s, %v", checks, err)
	}
}

func hasCode(err error, code string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == code
}
