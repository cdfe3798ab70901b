// Package metrics sends a function's numbers to CloudWatch, as lines of its log in the embedded metric format: no
// call, no permission, and nothing on the way but the line. Names.go lists the names.
//
// Promise: one line a call of the function. It holds counts, seconds and ratios only, never a customer's data. Writes
// to stdout (package step). Spec:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"context"
	"sync"
	"time"
)

// Collection holds the counts of one call. Safe for concurrent use.
type Collection struct {
	mu     sync.Mutex
	order  []string
	values map[string]float64
	units  map[string]string
}

type key struct{}

// Collect gives the context a collection, which Count, Time and Ratio add to.
func Collect(ctx context.Context) (context.Context, *Collection) {
	c := &Collection{values: map[string]float64{}, units: map[string]string{}}
	return context.WithValue(ctx, key{}, c), c
}

// Units of CloudWatch, https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html.
const (
	unitCount   = "Count"
	unitSeconds = "Seconds"
	unitNone    = "None"
)

// Count adds n to a count. A count of 0 is sent, too. Without a collection in the context it does nothing, as Time
// and Ratio do.
func Count[N ~int | ~int64](ctx context.Context, name string, n N) {
	add(ctx, name, unitCount, float64(n))
}

// Time adds to a duration, sent in seconds.
func Time(ctx context.Context, name string, d time.Duration) {
	add(ctx, name, unitSeconds, d.Seconds())
}

// Ratio sets a number without a unit, such as a recall.
func Ratio(ctx context.Context, name string, value float64) {
	if c, ok := ctx.Value(key{}).(*Collection); ok {
		c.put(name, unitNone, func(float64) float64 { return value })
	}
}

func add(ctx context.Context, name, unit string, value float64) {
	if c, ok := ctx.Value(key{}).(*Collection); ok {
		c.put(name, unit, func(before float64) float64 { return before + value })
	}
}

func (c *Collection) put(name, unit string, change func(float64) float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.units[name]; !known {
		c.order = append(c.order, name)
		c.units[name] = unit
	}
	c.values[name] = change(c.values[name])
}
