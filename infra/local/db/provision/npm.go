package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const npmInstead = "install Node.js 20 or later with npm, and run `npm ci --include=dev --ignore-scripts` in the repository"

// NodeModules returns the repository's node_modules, after `npm ci` if it does not match package-lock.json.
//
// npm's own record node_modules/.package-lock.json tells if it does. npm writes it last, so it is missing after an
// installation that was killed. It is right as well if somebody ran npm by hand.
func (c *Cache) NodeModules(ctx context.Context) (string, error) {
	modules := filepath.Join(c.root, "node_modules")
	if c.installed() {
		return modules, nil
	}
	unlock, err := c.lock(ctx, "node_modules")
	if err != nil {
		return "", Unavailable{"node_modules", npmInstead, err}
	}
	defer unlock()
	if c.installed() {
		return modules, nil
	}
	c.Progress("fetching the npm packages")
	// No package of ours needs its install script, and npm 11 asks before it runs any.
	if _, err := run(ctx, c.root, nil, "npm", "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return "", Unavailable{"node_modules", npmInstead, err}
	}
	if !c.installed() {
		return "", Unavailable{"node_modules", npmInstead, errors.New("npm ci did not install what package-lock.json says")}
	}
	return modules, nil
}

// lockfile is the part of package-lock.json and of npm's record that tells one installation from another.
type lockfile struct {
	Packages map[string]struct {
		Version  string `json:"version"`
		Optional bool   `json:"optional"`
	} `json:"packages"`
}

// installed tells whether node_modules holds every package of package-lock.json in its version. An optional
// package may be missing: it is made for another machine.
func (c *Cache) installed() bool {
	wanted, err := readLockfile(filepath.Join(c.root, "package-lock.json"))
	if err != nil {
		return false
	}
	present, err := readLockfile(filepath.Join(c.root, "node_modules", ".package-lock.json"))
	if err != nil {
		return false
	}
	for path, pkg := range wanted.Packages {
		found, ok := present.Packages[path]
		isRoot := path == ""
		if !isRoot && (!ok && !pkg.Optional || ok && found.Version != pkg.Version) {
			return false
		}
	}
	return true
}

func readLockfile(path string) (lockfile, error) {
	var parsed lockfile
	text, err := os.ReadFile(path)
	if err != nil {
		return parsed, fmt.Errorf("reading the lockfile: %w", err)
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		return parsed, fmt.Errorf("reading %s: %w", path, err)
	}
	return parsed, nil
}
