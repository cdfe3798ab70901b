package answers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/model"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// models keeps the models of the last two versions.
type models struct {
	artifacts *objectstore.Store
	kept      lastTwo[*model.Model] // nil: the version has none that can be read
}

// read returns the model of a version, or nil if it has none. Then stored vectors and sessions answer. embedding-upload
// activates no version with an unreadable model, so such a model is logged as an error and not waited for. An error is S3's
// and may pass.
func (m *models) read(ctx context.Context, v vectorstore.ActiveVersion) (*model.Model, error) {
	if !v.HasModel {
		return nil, nil
	}
	return m.kept.of(ctx, v.Version, func(ctx context.Context) (*model.Model, error) {
		read, err := m.download(ctx, v)
		var unsupported *model.Unsupported
		var invalid *model.Invalid
		switch {
		case errors.As(err, &unsupported), errors.As(err, &invalid):
			slog.ErrorContext(ctx, "the version answers without its model", "version", v.Version, "error", err)
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("reading the model of version %d: %w", v.Version, err)
		}
		return read, nil
	})
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
