package vectorstore

import (
	"fmt"
	"strings"
)

// Metric is how two embeddings are compared; a property of a version.
// Operators and classes: https://github.com/pgvector/pgvector#querying
type Metric string

const (
	Cosine       Metric = "cosine"        // distance 1 - cos, 0 to 2
	InnerProduct Metric = "inner_product" // distance -(a·b)
	L2           Metric = "l2"            // distance |a-b|, 0 and up
)

// ParseMetric takes the name of a metric, as settings and the version's row spell it.
func ParseMetric(name string) (Metric, error) {
	switch metric := Metric(name); metric {
	case Cosine, InnerProduct, L2:
		return metric, nil
	}
	return "", fmt.Errorf("metric %q: want %s, %s or %s", name, Cosine, InnerProduct, L2)
}

// Operator is the SQL operator of the distance, lower is better. Only ORDER BY embedding <operator> vector,
// ascending and with nothing around it, is served by the index.
func (m Metric) Operator() string {
	switch m {
	case InnerProduct:
		return "<#>"
	case L2:
		return "<->"
	}
	return "<=>"
}

// OperatorClass is what an index needs to serve Operator.
func (m Metric) OperatorClass() string {
	switch m {
	case InnerProduct:
		return "vector_ip_ops"
	case L2:
		return "vector_l2_ops"
	}
	return "vector_cosine_ops"
}

// Score turns a distance into a score, higher is better: the cosine (-1 to 1), the inner product, or 1/(1+d) for l2.
func (m Metric) Score(distance float64) float64 {
	switch m {
	case InnerProduct:
		return -distance
	case L2:
		return 1 / (1 + distance)
	}
	return 1 - distance
}

// CountryKey is how a country is spelled in PopularityTable: trimmed, in lower case.
func CountryKey(country string) string { return strings.ToLower(strings.TrimSpace(country)) }
