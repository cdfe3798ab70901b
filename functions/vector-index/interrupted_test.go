package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/world"
	"recsys/shared/contract/failure"
)

// An activation that drops an old version, one that fails, a rollback, and an activation of a kept version.
func TestInterruptedAnywhere(t *testing.T) {
	server := postgrestest.ForTest(t)
	for _, name := range []string{"activate", "fail", "rollback", "reactivate"} {
		t.Run(name, func(t *testing.T) {
			world.InterruptedAnywhere(t, func(t *testing.T, n int64) ([]string, int64) { return interruptedAt(t, server, name, n) })
		})
	}
}

// interruptedAt runs twice, because a version that could not be dropped is no failure, and returns the remaining
// tables.
func interruptedAt(t *testing.T, server *postgres.Server, name string, n int64) (state []string, passed int64) {
	b := setup(t, server)
	b.KeepVersions = 2
	b.handle(b.input(b.small(4)))
	b.handle(b.input(b.small(4)))
	in := b.input(b.small(8))
	switch name {
	case "fail":
		b.Target = 1.1 // out of reach
	case "rollback":
		in = rollback("back")
	case "reactivate":
		in = reactivate("back", 1)
	}
	points := b.Interrupt(n)
	b.DB = points.DB
	if _, err := b.Handle(t.Context(), in); err != nil && n == 0 && name != "fail" {
		t.Fatal(err)
	}
	passed = points.Passed()
	out, err := b.Handle(t.Context(), in)
	if errors.Is(err, failure.RecallTooLow) != (name == "fail") || err != nil && name != "fail" {
		t.Error(err)
	}
	folders, err := b.Artifacts.Folders(t.Context(), "versions/")
	b.Must(err)
	return slices.Concat([]string{fmt.Sprintf("%+v", out)}, folders,
		b.texts(`select concat_ws(' ', version, status, recall, ef_search, rolled_back_by, dropped_at is null) from recsys.embedding_version order by version`),
		b.texts(`select relname::text from pg_class where relnamespace = 'recsys'::regnamespace order by 1`),
		b.texts(`select id || embedding::text from recsys.item_emb order by 1`)), passed
}
