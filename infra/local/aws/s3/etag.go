package s3

import (
	"crypto/md5"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// etagCache remembers the MD5 of files that have not changed since. It is only a cache: a restart, or a
// file that somebody edits, costs one reading.
type etagCache struct {
	mu   sync.Mutex
	sums map[string]etagEntry // by path
}

type etagEntry struct {
	inode    uint64
	size     int64
	modified time.Time
	sum      [md5.Size]byte
}

func entryOf(info fs.FileInfo) etagEntry {
	entry := etagEntry{size: info.Size(), modified: info.ModTime()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		entry.inode = stat.Ino
	}
	return entry
}

// of is the ETag of an open file. It reads the file only if the cache has none. The file's offset is 0 afterwards.
func (c *etagCache) of(file *os.File, info fs.FileInfo) ([]byte, error) {
	if sum, ok := c.get(file.Name(), info); ok {
		return sum, nil
	}
	hash := md5.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	sum := hash.Sum(nil)
	c.put(file.Name(), info, sum)
	return sum, nil
}

func (c *etagCache) get(path string, info fs.FileInfo) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.sums[path]
	sum := known.sum
	known.sum = [md5.Size]byte{}
	if wanted := entryOf(info); known.inode != wanted.inode || known.size != wanted.size || !known.modified.Equal(wanted.modified) {
		return nil, false
	}
	return sum[:], true
}

func (c *etagCache) put(path string, info fs.FileInfo, sum []byte) {
	entry := entryOf(info)
	copy(entry.sum[:], sum)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sums == nil {
		c.sums = map[string]etagEntry{}
	}
	c.sums[path] = entry
}

func (c *etagCache) drop(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sums, path)
}
