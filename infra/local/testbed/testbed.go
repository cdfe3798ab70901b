// Package testbed holds the common settings of all tests: how long they wait, and how long a campaign is.
//
// A campaign repeats one law at many points, such as a kill at every write. `go test ./...` runs it at some of them,
// spread over the whole. A test binary with the flag -long runs it at all of them, as .ci/run does.
package testbed

import (
	"flag"
	"testing"
	"time"
)

// Patience bounds the wait for something that has to come about. It matters only to a test that fails: a machine that
// is ten times slower than usual must not fail one. It is less than half of the ten minutes that go test gives a package.
const Patience = 4 * time.Minute

var long = flag.Bool("long", false, "run campaigns at all of their points")

// Long reports whether campaigns run at all of their points. Call it within a test, after flags are parsed.
func Long() bool { return *long }

// Spread returns all points with -long. Otherwise it returns the first, every step-th after it, and the last.
func Spread[Point any](points []Point, step int) []Point {
	if Long() || len(points) == 0 {
		return points
	}
	var spread []Point
	for i := 0; i < len(points)-1; i += step {
		spread = append(spread, points[i])
	}
	return append(spread, points[len(points)-1])
}

// Eventually polls until the condition holds. It fails the test after Patience.
func Eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	deadline := time.After(Patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("waited %v in vain: %s", Patience, what)
		}
	}
}
