package metrics

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// directive and its parts are the member "_aws" of a line.
type (
	directive struct {
		Timestamp         int64 // milliseconds since 1970
		CloudWatchMetrics []group
	}
	group struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	definition struct {
		Name string
		Unit string
	}
)

// Write writes the collection as one line, in one call of w. An empty collection writes nothing.
func (c *Collection) Write(w io.Writer, function string, at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.order) == 0 {
		return nil
	}
	line := map[string]any{FunctionDimension: function}
	definitions := make([]definition, len(c.order))
	for i, name := range c.order {
		definitions[i] = definition{name, c.units[name]}
		line[name] = c.values[name]
	}
	line["_aws"] = directive{at.UnixMilli(), []group{{Namespace, [][]string{{FunctionDimension}}, definitions}}}
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("writing the metrics: %w", err)
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("writing the metrics: %w", err)
	}
	return nil
}
