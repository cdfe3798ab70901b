package platform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
)

// noDatabase stands for the source of a shop in files. Nobody connects to it.
const noDatabase = "nobody@tcp(127.0.0.1:1)/none"

// giveFiles puts the files of a folder under lake.SourcePrefix, in place of those of an earlier start. Without a folder those
// stay.
func (p *Platform) giveFiles(ctx context.Context) error {
	if p.config.SourceFiles == "" {
		return nil
	}
	if !p.shop.InFiles() {
		return errors.New("--source-files wants a shop file that names files: see docs/source.md, \"A shop in files\"")
	}
	store := p.Store(LakeBucket)
	if _, err := store.DeletePrefix(ctx, lake.SourcePrefix); err != nil {
		return err
	}
	files, err := putFolder(ctx, store, p.config.SourceFiles)
	if err != nil {
		return fmt.Errorf("reading --source-files: %w", err)
	}
	p.config.Progress(fmt.Sprintf("source: %d files of %s", files, p.config.SourceFiles))
	return nil
}

// putFolder puts the files of a folder and of those in it. Hidden ones are left out.
func putFolder(ctx context.Context, store *objectstore.Store, folder string) (files int, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != folder && entry.Name()[0] == '.':
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		files++
		_, err = store.PutFile(ctx, lake.SourcePrefix+filepath.ToSlash(name), file)
		return err
	})
	return files, err
}
