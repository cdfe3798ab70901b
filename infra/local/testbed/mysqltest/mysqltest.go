// Package mysqltest gives a test a MySQL or a MariaDB of its own.
//
// It writes to temporary folders and the repository's cache only. If MariaDB cannot be had, the test is skipped with
// the reason, and fails under CI (environment variable CI). If MySQL cannot be had, its tests are always skipped
// with the reason: it comes from Debian's unstable, which no run may depend on.
package mysqltest

import (
	"errors"
	"testing"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/mysql"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/testbed/provisiontest"
)

// ForTest starts an empty MariaDB, which starts faster than MySQL. It ignores MYSQL_DSN, because a test may stop the
// server. It is stopped and removed with tb. It takes about 0.5 s, so subtests share one and make databases in it.
func ForTest(tb testing.TB) *mysql.Server {
	tb.Helper()
	return Start(tb, mysql.MariaDB)
}

// Start is ForTest for a server of one engine.
func Start(tb testing.TB, engine mysql.Engine) *mysql.Server {
	tb.Helper()
	return start(tb, mysql.Config{Engine: engine})
}

// WithTLS is ForTest for a server that speaks TLS, with this certificate.
func WithTLS(tb testing.TB, certificate *authority.Certificate) *mysql.Server {
	tb.Helper()
	return start(tb, mysql.Config{Engine: mysql.MariaDB, Certificate: certificate})
}

// Each runs a test on both engines, as one subtest each.
func Each(t *testing.T, test func(t *testing.T, server *mysql.Server)) {
	for _, engine := range []mysql.Engine{mysql.MySQL, mysql.MariaDB} {
		t.Run(engine.String(), func(t *testing.T) { test(t, Start(t, engine)) })
	}
}

// StartIn is mysql.Start in a folder, for a test that stops the server itself.
func StartIn(tb testing.TB, engine mysql.Engine, dir string) (*mysql.Server, error) {
	tb.Helper()
	return tryStart(tb, mysql.Config{Engine: engine, Dir: dir})
}

func start(tb testing.TB, config mysql.Config) *mysql.Server {
	tb.Helper()
	server, err := tryStart(tb, config)
	provisiontest.Require(tb, err)
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}

func tryStart(tb testing.TB, config mysql.Config) (*mysql.Server, error) {
	tb.Helper()
	config.Cache = provisiontest.Cache(tb)
	server, err := mysql.Start(tb.Context(), config)
	if config.Engine == mysql.MySQL && errors.As(err, new(provision.Unavailable)) {
		tb.Skip("not tested on MySQL:", err)
	}
	return server, err
}
