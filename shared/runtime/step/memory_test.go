package step

import (
	"runtime/debug"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

func TestTheCollectorKnowsTheFunctionsMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	size := lambdacontext.MemoryLimitInMB
	defer func() {
		debug.SetMemoryLimit(before)
		lambdacontext.MemoryLimitInMB = size
	}()
	for _, test := range []struct {
		memory int
		given  string // GOMEMLIMIT
		want   int64
	}{
		{0, "", before},         // not on Lambda
		{512, "64MiB", before},  // the Go runtime has read it
		{1000, "", 900 << 20},   // 90 %
		{3008, "", 2838704947},  // the rest is not the heap's
		{10240, "", 9663676416}, // six cores
	} {
		debug.SetMemoryLimit(before)
		lambdacontext.MemoryLimitInMB = test.memory
		t.Setenv("GOMEMLIMIT", test.given)
		limitMemory()
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("of %d MiB, given %q: %d bytes, want %d", test.memory, test.given, got, test.want)
		}
	}
}
