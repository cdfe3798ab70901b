package platform

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// withCustomers are the entries of a state directory that hold customers' data and that this process's user writes. The
// databases close their own data directories.
var withCustomers = []string{"s3", "glue", "firehose", "kinesis", "lambda"}

// closeToOthers makes the folders with customers' data, readable by this user only.
func (p *Platform) closeToOthers() error {
	for _, name := range withCustomers {
		if err := closeFolder(p.path(name)); err != nil {
			return fmt.Errorf("closing the state directory to other users: %w", err)
		}
	}
	return nil
}

// closeFolder takes the rights of other users from a folder and all in it, because an earlier version left them open.
// The folder itself comes last: once it is closed, all in it is.
func closeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	top, err := os.Stat(dir)
	if err != nil || top.Mode().Perm()&0o077 == 0 {
		return err
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&^0o077)
	})
	if err != nil {
		return err
	}
	return os.Chmod(dir, top.Mode().Perm()&^0o077)
}
