// Package provisiontest gives tests what infra/local/db/provision fetches.
//
// What cannot be had on this machine skips the test, saying why, and fails it under CI (environment variable CI),
// where it must be had. It writes what package provision writes.
package provisiontest

import (
	"errors"
	"os"
	"testing"

	"recsys/infra/local/db/provision"
)

// Cache is the repository's; what takes its time is told in the test's log.
func Cache(tb testing.TB) *provision.Cache {
	tb.Helper()
	cache, err := provision.Open(provision.Config{Progress: func(line string) { tb.Log(line) }})
	if err != nil {
		tb.Fatal(err)
	}
	return cache
}

// Require ends the test where err is not nil: it is skipped for what cannot be had, outside of CI, and fails else.
func Require(tb testing.TB, err error) {
	tb.Helper()
	if errors.As(err, new(provision.Unavailable)) && os.Getenv("CI") == "" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// NodeModules is the folder of the npm packages.
func NodeModules(tb testing.TB) string {
	tb.Helper()
	modules, err := Cache(tb).NodeModules(tb.Context())
	Require(tb, err)
	return modules
}
