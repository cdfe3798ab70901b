// Package distance defines how two embeddings are compared. One table holds each metric's name, its pgvector operator,
// the part of a vector that it compares, and its score, so a new metric is one new row.
package distance

import (
	"fmt"
	"strings"
)

// Metric names a row of the table. A version has one metric for all of its embeddings.
type Metric string

// The metrics. The comment gives the distance, where lower is nearer.
const (
	Cosine       Metric = "cosine"        // 1 - cos, 0 to 2
	InnerProduct Metric = "inner_product" // -(a·b)
	L2           Metric = "l2"            // |a-b|, 0 and up
)

// part is the part of a vector that a metric compares.
type part int

const (
	direction part = iota // vectors of any length compare the same
	length                // the length along the direction: a longer vector leaves the order of those compared with it
	place                 // where the vector ends
)

// metrics is the table. Operators and classes: https://github.com/pgvector/pgvector#querying
var metrics = []struct {
	name            Metric
	operator, class string
	compares        part
	score           func(distance float64) float64
}{
	{Cosine, "<=>", "vector_cosine_ops", direction, func(d float64) float64 { return 1 - d }},
	{InnerProduct, "<#>", "vector_ip_ops", length, func(d float64) float64 { return -d }},
	{L2, "<->", "vector_l2_ops", place, func(d float64) float64 { return 1 / (1 + d) }},
}

// Names returns the names of all metrics, in the table's order.
func Names() []string {
	names := make([]string, len(metrics))
	for i, row := range metrics {
		names[i] = string(row.name)
	}
	return names
}

// Parse returns the metric of that name. Any other text is an error that lists the names.
func Parse(name string) (Metric, error) {
	for _, row := range metrics {
		if string(row.name) == name {
			return row.name, nil
		}
	}
	return "", fmt.Errorf("metric %q: want one of %s", name, strings.Join(Names(), ", "))
}

// UnmarshalText reads a metric from an option's text (encoding.TextUnmarshaler).
func (m *Metric) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return fmt.Errorf("want one of %s", strings.Join(Names(), ", "))
	}
	*m = parsed
	return nil
}

// row returns the index of the metric's row. A metric that did not come from Parse or a constant is a fault of the
// program, because a guess would silently build or ask an index of another metric.
func (m Metric) row() int {
	for i := range metrics {
		if metrics[i].name == m {
			return i
		}
	}
	panic(fmt.Sprintf("distance: unknown metric %q", string(m)))
}

// Operator returns the SQL operator of the distance. The index serves only ORDER BY embedding <operator> vector,
// ascending and with nothing around it.
func (m Metric) Operator() string { return metrics[m.row()].operator }

// OperatorClass returns the operator class that an index needs to serve Operator.
func (m Metric) OperatorClass() string { return metrics[m.row()].class }

// ByDirection reports whether the nearest items stay the same if the customer's vector gets longer or shorter.
func (m Metric) ByDirection() bool { return metrics[m.row()].compares != place }

// IgnoresLength reports whether the length of no vector counts.
func (m Metric) IgnoresLength() bool { return metrics[m.row()].compares == direction }

// Score turns a distance into a score, where higher is better: the cosine (-1 to 1), the inner product, or 1/(1+d) for l2.
func (m Metric) Score(distance float64) float64 { return metrics[m.row()].score(distance) }

// Scan reads a metric from a database's text. A text that is not in the table is an error (database/sql.Scanner).
func (m *Metric) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a metric is a text, not %T", value)
	}
	parsed, err := Parse(text)
	*m = parsed
	return err
}
