package main

import "recsys/shared/contract/workflow"

// span is a run of neighbouring customers up to and including the one of the key last.
type span struct {
	last *string
	rows int64
}

// cutter gathers customers, in ascending order, into spans of at least target rows. Only the last span may have
// fewer. A customer is never cut in two, so one with many interactions makes a span longer than the target.
type cutter struct {
	target int64
	spans  []span
	closed int // spans that have reached the target
}

// add adds the rows of a customer. Rows without a customer (nil) come first and belong to the first span. Neighbours whose
// keys look the same stay together: only the first letters of a long key are known.
func (c *cutter) add(last *string, rows int64) {
	if n := len(c.spans); n > 0 && c.closed == n && *c.spans[n-1].last == *last {
		c.spans[n-1].rows += rows
		return
	}
	if c.closed == len(c.spans) {
		c.spans = append(c.spans, span{})
	}
	open := &c.spans[len(c.spans)-1]
	open.last = last
	open.rows += rows
	if open.rows >= c.target && last != nil {
		c.closed++
	}
}

// atMost joins neighbours until there are no more than limit spans. Spans of at least ⌈rows/limit⌉ rows each
// cannot be more than that.
func (c *cutter) atMost(limit int) []span {
	if len(c.spans) <= limit {
		return c.spans
	}
	var rows int64
	for _, s := range c.spans {
		rows += s.rows
	}
	joined := cutter{target: (rows + int64(limit) - 1) / int64(limit)}
	for _, s := range c.spans {
		joined.add(s.last, s.rows)
	}
	return joined.spans
}

// ranges covers every key there is with the spans. The first and the last are open, so that customers who come after
// the plan are read too. Without spans it is one range without ends.
func ranges(spans []span) []workflow.Range {
	out := make([]workflow.Range, max(1, len(spans)))
	for i := range out {
		out[i].Index = i
		if i > 0 {
			out[i].After, out[i-1].UpTo = spans[i-1].last, spans[i-1].last
		}
	}
	return out
}
