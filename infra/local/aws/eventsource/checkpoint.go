package eventsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Checkpoints remember, by shard, the sequence number up to which every record is done. They are used from several
// goroutines at once.
type Checkpoints interface {
	// Load returns "" for a shard without checkpoint.
	Load(shard string) (string, error)
	Save(shard, sequenceNumber string) error
}

// memory forgets with the process.
type memory struct{ shards sync.Map }

func (m *memory) Load(shard string) (string, error) {
	sequence, _ := m.shards.Load(shard)
	text, _ := sequence.(string)
	return text, nil
}

func (m *memory) Save(shard, sequenceNumber string) error {
	m.shards.Store(shard, sequenceNumber)
	return nil
}

// File keeps the checkpoints of one stream in a JSON file: an object of sequence numbers by shard. The file is
// replaced whole, so that a process that is killed leaves the old one or the new one.
type File struct {
	path string

	mu     sync.Mutex
	shards map[string]string
}

// OpenFile reads the checkpoints at path. The file may be missing, its folder may not.
func OpenFile(path string) (*File, error) {
	f := &File{path: path, shards: map[string]string{}}
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &f.shards)
	}
	if err != nil {
		return nil, fmt.Errorf("reading checkpoints from %s: %w", path, err)
	}
	return f, nil
}

// Load returns the shard's checkpoint.
func (f *File) Load(shard string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shards[shard], nil
}

// Save writes the file.
func (f *File) Save(shard, sequenceNumber string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shards[shard] = sequenceNumber
	content, err := json.MarshalIndent(f.shards, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(f.path), filepath.Base(f.path)+".*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(append(content, '\n'))
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), f.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
