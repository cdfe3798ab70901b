package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
)

// markerName is of the file that a state directory has from its first moment on: without it a folder is somebody's
// own, and is neither written to nor reset.
const markerName = "recsys-state.txt"

const markerText = "State of the recommender's local mode: go run ./infra/local writes this folder, and its reset empties it.\n"

// state are the entries of a state directory that a Platform writes. Those that describe others come first: without
// source.json a shop is loaded again, and without checkpoints.json a stream is read from its start.
var state = []string{
	"source.json", "source.json.new", "endpoints.json", "checkpoints.json",
	"shop", "mysql", "postgres", "s3", "glue", "firehose", "kinesis", kinesisLog, "lambda",
}

// kinesisLog is the output of Kinesis about its faults. In the folder of its data it would be in LevelDB's way.
const kinesisLog = "kinesis.log"

// CheckStateDir refuses a folder that is neither a state directory nor could become one: it must bear the marker, be
// empty or not be there. The files of provision in .local belong to no state. It writes nothing.
func CheckStateDir(stateDir string) error {
	if _, err := os.Stat(filepath.Join(stateDir, markerName)); err == nil {
		return nil
	}
	entries, err := os.ReadDir(stateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("--state-dir %s is no folder: choose another", stateDir)
	case err != nil:
		return fmt.Errorf("reading the state directory: %w (choose another with --state-dir)", err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "cache" && name != "lock" {
			return fmt.Errorf("%s holds other things (%s) and was not made by this program, there is no %s in it: choose a new folder with --state-dir",
				stateDir, name, markerName)
		}
	}
	return nil
}

// makeStateDir makes a state directory, or makes one of an empty folder.
func makeStateDir(stateDir string) error {
	if err := CheckStateDir(stateDir); err != nil {
		return err
	}
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return fmt.Errorf("making the state directory: %w (choose another with --state-dir)", err)
	}
	if err := os.WriteFile(filepath.Join(stateDir, markerName), []byte(markerText), 0o644); err != nil {
		return fmt.Errorf("marking the state directory: %w (choose another with --state-dir)", err)
	}
	return nil
}

// Reset deletes the files that a Platform writes to a state directory, and no others. If there is no state directory,
// it returns fs.ErrNotExist.
func Reset(stateDir string) error {
	if err := CheckStateDir(stateDir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(stateDir, markerName)); err != nil {
		return fmt.Errorf("finding the state directory: %w", err)
	}
	unlock, err := Lock(stateDir)
	if err != nil {
		return err
	}
	for _, name := range state {
		if err := os.RemoveAll(filepath.Join(stateDir, name)); err != nil {
			return errors.Join(fmt.Errorf("deleting the state: %w", err), unlock())
		}
	}
	return unlock()
}

// Lock keeps every Platform, and another Lock, off the state directory. The kernel frees it when this process dies.
func Lock(stateDir string) (unlock func() error, err error) {
	lock := flock.New(filepath.Join(stateDir, "lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the state directory: %w (choose another with --state-dir)", err)
	}
	if !locked {
		return nil, fmt.Errorf("%w on %s: wait for it, stop it, or choose another with --state-dir", ErrBusy, stateDir)
	}
	return lock.Close, nil
}
