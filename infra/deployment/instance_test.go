package deployment

import "testing"

func TestCallsAreBoundedByTheDatabasesConnections(t *testing.T) {
	for _, c := range []struct {
		instance              string
		shards, parallel      string
		refused               bool
		memory, maxConnection int
	}{
		{"t4g.small", "5", "4", false, 2, 100},
		{"t4g.small", "7", "3", true, 2, 100},
		{"t4g.large", "10", "9", false, 8, 400},
		{"r8g.2xlarge", "24", "10", false, 64, 1000},
		{"m7g.medium", "4", "5", false, 4, 200},
	} {
		_, err := ReadConfig(map[string]any{"vectorInstance": c.instance, "shards": c.shards, "parallelization": c.parallel, "api": "off"})
		if (err != nil) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
		if MemoryGiB(c.instance) != c.memory || MaxVectorConnections(c.instance) != c.maxConnection {
			t.Errorf("%s: %d GiB, %d connections", c.instance, MemoryGiB(c.instance), MaxVectorConnections(c.instance))
		}
	}
}
