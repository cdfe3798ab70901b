// Package provision fetches, once, the parts of the local servers that the machine does not have.
//
// It promises that everything it makes lies under one cache folder (.local/cache in the repository). A part is either
// whole or not there, even if the process was killed. A second process waits for the first instead of making the part
// twice. It needs no root, and changes nothing outside of the cache but the repository's node_modules.
//
// It reads the host's apt sources, package-lock.json and node_modules. It runs npm, apt-get and dpkg. A part that
// cannot be had is an Unavailable error, which names the variable to set instead.
package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/gofrs/flock"
)

// Config says where the cache lies. Its zero value is right inside of a checkout.
type Config struct {
	// Root is the repository. Default: the nearest folder upwards of the working directory with the go.mod of module recsys.
	Root string
	// Dir is the cache's folder. Default: .local/cache in Root.
	Dir string
	// Progress gets a line for each part that takes its time. Default: silence.
	Progress func(string)
}

// Cache is the folder of the fetched parts.
type Cache struct {
	root, dir string
	progress  func(string)
}

// Unavailable reports a part that cannot be had on this machine, the reason, and the alternative.
type Unavailable struct {
	Part    string
	Instead string
	Err     error
}

func (e Unavailable) Error() string {
	return fmt.Sprintf("%s cannot be provided on this machine: %v; %s", e.Part, e.Err, e.Instead)
}

func (e Unavailable) Unwrap() error { return e.Err }

// Open finds the repository and its cache. It writes nothing.
func Open(config Config) (*Cache, error) {
	if config.Progress == nil {
		config.Progress = func(string) {}
	}
	if config.Root == "" {
		root, err := Root()
		if err != nil {
			return nil, err
		}
		config.Root = root
	}
	if config.Dir == "" {
		config.Dir = filepath.Join(config.Root, ".local", "cache")
	}
	return &Cache{root: config.Root, dir: config.Dir, progress: config.Progress}, nil
}

var moduleLine = regexp.MustCompile(`(?m)^module recsys$`)

// Root is the nearest folder, from the working directory upwards, with the go.mod of module recsys.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the working directory: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && moduleLine.Match(mod) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod of module recsys in %s or above: run this inside of the repository", start)
		}
	}
}

// Root is the repository that the cache belongs to.
func (c *Cache) Root() string { return c.root }

// Progress hands a line to the observer.
func (c *Cache) Progress(format string, args ...any) { c.progress(fmt.Sprintf(format, args...)) }

// Part returns the folder of a part, which make fills when it is not there: at first under another name, so
// that a part that is there is whole. The folder is for reading only from then on.
func (c *Cache) Part(ctx context.Context, name string, fill func(ctx context.Context, dir string) error) (string, error) {
	part := filepath.Join(c.dir, name)
	if exists(part) {
		return part, nil
	}
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(part) {
		return part, nil
	}
	c.removeLeftovers(name)
	unfinished, err := os.MkdirTemp(c.dir, name+unfinishedMark)
	if err != nil {
		return "", fmt.Errorf("making a folder for %s: %w", name, err)
	}
	defer os.RemoveAll(unfinished)
	if err := os.Chmod(unfinished, 0o755); err != nil {
		return "", fmt.Errorf("opening the folder of %s to all users: %w", name, err)
	}
	if err := fill(ctx, unfinished); err != nil {
		return "", err
	}
	if err := os.Rename(unfinished, part); err != nil {
		return "", fmt.Errorf("finishing %s: %w", name, err)
	}
	return part, nil
}

const unfinishedMark = ".unfinished-"

// removeLeftovers clears the remains of a killed process. Its lock went with it.
func (c *Cache) removeLeftovers(name string) {
	leftovers, _ := filepath.Glob(filepath.Join(c.dir, name+unfinishedMark+"*"))
	for _, leftover := range leftovers {
		os.RemoveAll(leftover)
	}
}

// lock takes the lock of one part. The kernel frees it when the process dies.
func (c *Cache) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, c.unwritable(err)
	}
	lock := flock.New(filepath.Join(c.dir, name+".lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, c.unwritable(err)
	}
	if !locked {
		c.Progress("another process is preparing %s: waiting for it", name)
		if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
			return nil, fmt.Errorf("waiting for the process that prepares %s: %w", name, err)
		}
	}
	return func() { lock.Close() }, nil
}

func (c *Cache) unwritable(err error) error {
	return fmt.Errorf("the cache %s cannot be written (%w): use a checkout of your own, or give that folder to your user", c.dir, err)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}
