package step_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"recsys/shared/runtime/metrics"
	"recsys/shared/runtime/step"
)

func TestACallThatSucceedsSendsItsMetrics(t *testing.T) {
	var out bytes.Buffer
	double := step.Measured(&out, func(ctx context.Context, n int) (int, error) {
		metrics.Count(ctx, metrics.Rows, n)
		if n < 0 {
			return 0, errors.New("negative")
		}
		return 2 * n, nil
	})
	for range 2 {
		got, err := double(t.Context(), 21)
		if err != nil || got != 42 {
			t.Errorf("got %d, %v", got, err)
		}
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[1], `"Rows":21`) || !strings.Contains(lines[1], `"Seconds":`) {
		t.Errorf("got %q", lines)
	}
	out.Reset()
	if _, err := double(t.Context(), -1); err == nil || out.Len() != 0 {
		t.Errorf("a call that failed: %v, %q", err, out.String())
	}
}
