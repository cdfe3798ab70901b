package answers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/model"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// models keeps the models of the last two versions, so that neither a swap nor a rollback reads one twice.
type models struct {
	artifacts *objectstore.Store
	lock      sync.Mutex   // one download at a time
	kept      [2]keptModel // the one used last first
}

type keptModel struct {
	version int64
	model   *model.Model // nil: the version has none that can be read
}

// read returns the model of a version, or nil if it has none. Then stored vectors and sessions answer. embedding-upload
// activates no version with an unreadable model, so such a model is logged as an error and not waited for. An error is S3's
// and may pass.
func (m *models) read(ctx context.Context, v vectorstore.ActiveVersion) (*model.Model, error) {
	if !v.HasModel {
		return nil, nil
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.kept[0].version != v.Version {
		m.kept[0], m.kept[1] = m.kept[1], m.kept[0]
	}
	if m.kept[0].version == v.Version {
		return m.kept[0].model, nil
	}
	read, err := m.download(ctx, v)
	var unsupported *model.Unsupported
	var invalid *model.Invalid
	switch {
	case errors.As(err, &unsupported), errors.As(err, &invalid):
		slog.ErrorContext(ctx, "the version answers without its model", "version", v.Version, "error", err)
	case err != nil:
		// The swap above has put the least used one first, so an error loses nothing.
		return nil, fmt.Errorf("reading the model of version %d: %w", v.Version, err)
	}
	m.kept[0] = keptModel{v.Version, read}
	return read, nil
}

func (m *models) download(ctx context.Context, v vectorstore.ActiveVersion) (*model.Model, error) {
	var files model.Files
	var reads errgroup.Group
	for _, file := range files.List(model.KindOf(v.Trained, v.Safetensors)) {
		reads.Go(func() (err error) {
			*file.Into, _, err = m.artifacts.Get(ctx, lake.VersionKey(v.Version, file.Key), file.Limit)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	read, err := model.Read(files)
	if err == nil && read.Dimension() != v.Dimension {
		return nil, &model.Invalid{File: lake.ModelKey,
			Err: fmt.Errorf("dimension %d, the version's is %d", read.Dimension(), v.Dimension)}
	}
	return read, err
}
