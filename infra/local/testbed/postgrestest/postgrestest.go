// Package postgrestest gives a test a PostgreSQL with pgvector of its own.
//
// It writes to temporary folders and the repository's cache only. Where the server cannot be had the test is
// skipped with the reason, and fails under CI (environment variable CI), where it must be had.
package postgrestest

import (
	"testing"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed/provisiontest"
)

// ForTest starts an empty server. It ignores DATABASE_URL, because a test may stop the server. It is stopped and
// removed with tb. It takes about 0.3 s, so subtests share one and make databases in it.
func ForTest(tb testing.TB) *postgres.Server {
	tb.Helper()
	return start(tb, postgres.Config{})
}

// WithTLS is ForTest for a server that speaks TLS, with this certificate.
func WithTLS(tb testing.TB, certificate *authority.Certificate) *postgres.Server {
	tb.Helper()
	return start(tb, postgres.Config{Certificate: certificate})
}

func start(tb testing.TB, config postgres.Config) *postgres.Server {
	tb.Helper()
	config.Cache = provisiontest.Cache(tb)
	server, err := postgres.Start(tb.Context(), config)
	provisiontest.Require(tb, err)
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}
