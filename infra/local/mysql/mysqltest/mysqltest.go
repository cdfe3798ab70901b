// Package mysqltest gives a test a MySQL of its own.
//
// It writes to temporary folders and the repository's cache only. Where the server cannot be had the test is
// skipped with the reason, and fails under CI (environment variable CI), where it must be had.
package mysqltest

import (
	"testing"

	"recsys/infra/local/authority"
	"recsys/infra/local/mysql"
	"recsys/infra/local/provision/provisiontest"
)

// ForTest starts an empty server, whatever MYSQL_DSN says, since a test may stop it; it is stopped and
// removed with tb. It takes about 0.5 s, so subtests share one and make databases in it.
func ForTest(tb testing.TB) *mysql.Server {
	tb.Helper()
	return start(tb, mysql.Config{})
}

// WithTLS is ForTest for a server that speaks TLS, with this certificate.
func WithTLS(tb testing.TB, certificate *authority.Certificate) *mysql.Server {
	tb.Helper()
	return start(tb, mysql.Config{Certificate: certificate})
}

func start(tb testing.TB, config mysql.Config) *mysql.Server {
	tb.Helper()
	config.Cache = provisiontest.Cache(tb)
	server, err := mysql.Start(tb.Context(), config)
	provisiontest.Require(tb, err)
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}
