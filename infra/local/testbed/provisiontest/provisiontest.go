// Package provisiontest gives tests the parts that infra/local/db/provision fetches.
//
// A part that cannot be had on this machine skips the test with the reason. Under CI (environment variable CI) it
// fails the test. It writes the same files as package provision.
package provisiontest

import (
	"errors"
	"os"
	"testing"

	"recsys/infra/local/db/provision"
)

// Cache is the repository's. Slow parts are told in the test's log.
func Cache(tb testing.TB) *provision.Cache {
	tb.Helper()
	cache, err := provision.Open(provision.Config{Progress: func(line string) { tb.Log(line) }})
	if err != nil {
		tb.Fatal(err)
	}
	return cache
}

// Require ends the test if err is not nil. A part that cannot be had skips it, outside of CI. Any other error fails
// it.
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
