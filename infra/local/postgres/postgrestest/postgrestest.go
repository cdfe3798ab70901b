// Package postgrestest gives a test a PostgreSQL with pgvector of its own.
//
// It writes to temporary folders and the repository's cache only. Where the server cannot be had the test is
// skipped with the reason, and fails under CI (environment variable CI), where it must be had.
package postgrestest

import (
	"testing"

	"recsys/infra/local/postgres"
	"recsys/infra/local/provision/provisiontest"
)

// ForTest starts an empty server, whatever DATABASE_URL says, since a test may stop it; it is stopped and
// removed with tb. It takes about 0.3 s, so subtests share one and make databases in it.
func ForTest(tb testing.TB) *postgres.Server {
	tb.Helper()
	server, err := postgres.Start(tb.Context(), postgres.Config{Cache: provisiontest.Cache(tb)})
	provisiontest.Require(tb, err)
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}
