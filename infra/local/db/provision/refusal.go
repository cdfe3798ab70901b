package provision

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// refusalAge is how long a part that could not be had is not asked for again.
const refusalAge = 10 * time.Minute

// rememberRefusal notes why a part could not be had, so that every process of a test run need not wait for a mirror.
func (c *Cache) rememberRefusal(name string, reason error) {
	// Without the note the next process asks the mirror, which is slow and not wrong.
	_ = os.WriteFile(c.refusal(name), []byte(reason.Error()), 0o644)
}

// refusedLately returns why the part could not be had a moment ago, or nothing.
func (c *Cache) refusedLately(name string) string {
	if exists(filepath.Join(c.dir, name)) {
		return ""
	}
	info, err := os.Stat(c.refusal(name))
	if err != nil || time.Since(info.ModTime()) > refusalAge {
		return ""
	}
	reason, err := os.ReadFile(c.refusal(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(reason))
}

func (c *Cache) refusal(name string) string { return filepath.Join(c.dir, name+".refused") }
