package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	maxAttempts = 5
	firstPause  = 100 * time.Millisecond // doubled with each attempt
)

// door is a service that takes answers.
type door interface {
	// put hands lines over in one call. It returns the places of those that the service refused, in their order, and its
	// reason for the first. An error is about the whole call.
	put(ctx context.Context, lines [][]byte) (refused []int, reason string, err error)
}

// limits are those of a door.
type limits struct {
	lineBytes int // of one line
	lines     int // of a call
	bytes     int // of a call
	atOnce    int // calls under way
}

// delivery hands lines over through one door.
type delivery struct {
	door
	limits
	to    string // names the door to people
	pause time.Duration
}

// call is a group of lines that go out together.
type call struct {
	lines  [][]byte
	places []int // of their outcomes
}

// deliver delivers the lines of the outcomes. Outcomes without a line count as done. Those before done are delivered. A door
// may take a later line and refuse an earlier one. Then no further call is made, and Kinesis delivers the records after
// the first failure again: at most those of the calls under way, under the same event ids. The error is the reason for the
// first failure.
func (d *delivery) deliver(ctx context.Context, outcomes []outcome) (done int, err error) {
	for calls := range slices.Chunk(d.cut(outcomes), d.atOnce) {
		if failed, err := d.send(ctx, calls); err != nil {
			return failed, err
		}
	}
	return len(outcomes), nil
}

// cut puts the lines into calls, in their order and each as full as the limits allow.
func (d *delivery) cut(outcomes []outcome) (calls []call) {
	var open call
	size := 0
	for place := range outcomes {
		line := outcomes[place].line
		if line == nil {
			continue
		}
		if len(open.lines) == d.lines || len(open.lines) > 0 && size+len(line) > d.bytes {
			calls, open, size = append(calls, open), call{}, 0
		}
		size += len(line)
		open.lines, open.places = append(open.lines, line), append(open.places, place)
	}
	if len(open.lines) > 0 {
		calls = append(calls, open)
	}
	return calls
}

// send makes calls at the same time. With an error, failed is the place of the first outcome that was not taken.
func (d *delivery) send(ctx context.Context, calls []call) (failed int, err error) {
	errs := make([]error, len(calls))
	var sending sync.WaitGroup
	for i := range calls {
		sending.Go(func() { errs[i] = d.call(ctx, &calls[i]) })
	}
	sending.Wait()
	for i, err := range errs {
		if err != nil {
			return calls[i].places[0], err
		}
	}
	return 0, nil
}

// call delivers lines and tries again with those that failed. With an error, the call holds the lines that are left.
func (d *delivery) call(ctx context.Context, c *call) error {
	for attempt := 1; len(c.lines) > 0; attempt++ {
		err := d.try(ctx, c)
		if err == nil {
			return nil
		}
		if attempt == maxAttempts || !d.wait(ctx, attempt) {
			return fmt.Errorf("delivering to %s, %d records left after %d attempts: %w", d.to, len(c.lines), attempt, err)
		}
		slog.WarnContext(ctx, "delivering again", "to", d.to, "attempt", attempt, "records", len(c.lines), "error", err)
	}
	return nil
}

// try puts the lines once and keeps those that were refused.
func (d *delivery) try(ctx context.Context, c *call) error {
	refused, reason, err := d.put(ctx, c.lines)
	if err != nil || len(refused) == 0 {
		return err
	}
	for kept, i := range refused {
		c.lines[kept], c.places[kept] = c.lines[i], c.places[i]
	}
	c.lines, c.places = c.lines[:len(refused)], c.places[:len(refused)]
	return fmt.Errorf("records failed with %s", reason)
}

// wait sleeps between attempts, with full jitter. It reports false if the time that is left allows no other attempt.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func (d *delivery) wait(ctx context.Context, attempt int) bool {
	longest := d.pause << attempt
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < longest {
		return false
	}
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// refusals returns the places of the codes that are there, and the first of them.
func refusals(codes []*string) (refused []int, reason string) {
	for i, code := range codes {
		if code == nil {
			continue
		}
		if refused == nil {
			reason = *code
		}
		refused = append(refused, i)
	}
	return refused, reason
}
