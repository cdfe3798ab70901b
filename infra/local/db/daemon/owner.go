package daemon

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// owner is the user that servers run as, and whether that is another than this process's.
func owner() (uid, gid int, other bool) {
	if os.Geteuid() != 0 {
		return os.Geteuid(), os.Getegid(), false
	}
	const overflow = 65534 // nobody's number on every Linux that names nobody otherwise
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return overflow, overflow, true
	}
	uid, err = strconv.Atoi(nobody.Uid)
	if err != nil {
		return overflow, overflow, true
	}
	gid, err = strconv.Atoi(nobody.Gid)
	if err != nil {
		return overflow, overflow, true
	}
	return uid, gid, true
}

// Own hands a folder and all in it to the user that servers run as.
func Own(dir string) error {
	uid, gid, other := owner()
	if !other {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("handing %s to the server's user: %w", dir, err)
		}
		return os.Lchown(path, uid, gid)
	})
}

// CopyOwned copies a data directory, for the user that servers run as and closed to others. It is copied
// under another name first, so that one that is there is whole.
func CopyOwned(from, to string) error {
	unfinished := to + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("removing an unfinished data directory: %w", err)
	}
	if err := os.CopyFS(unfinished, os.DirFS(from)); err != nil {
		return fmt.Errorf("copying the data directory: %w", err)
	}
	if err := os.Chmod(unfinished, 0o700); err != nil {
		return fmt.Errorf("closing the data directory to others: %w", err)
	}
	if err := Own(unfinished); err != nil {
		return err
	}
	if err := os.Rename(unfinished, to); err != nil {
		return fmt.Errorf("finishing the data directory: %w", err)
	}
	return nil
}
