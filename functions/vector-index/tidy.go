package main

import (
	"context"
	"log/slog"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/runtime/step"
	"recsys/shared/store/vectorstore"
)

// tidy drops versions that no rollback needs. A version that cannot be dropped now, because somebody reads it or no
// time is left, is left to the next run. Answers do not depend on it.
func (h *Handler) tidy(ctx context.Context) {
	tidying, stop := step.Tidying(ctx)
	defer stop()
	dropped, err := vectorstore.DropOld(tidying, h.DB, h.KeepVersions)
	if err == nil {
		err = h.deleteArtifacts(tidying, dropped)
	}
	if err != nil {
		slog.WarnContext(ctx, "old versions are left to the next run", "error", err)
	}
}

// deleteArtifacts goes by the objects in the bucket, so that it finds the remains of a killed attempt.
func (h *Handler) deleteArtifacts(ctx context.Context, dropped []int64) error {
	folders, err := h.Artifacts.Folders(ctx, lake.VersionsParent)
	if err != nil {
		return err
	}
	for _, version := range dropped {
		folder := lake.VersionPrefix(version)
		if !slices.Contains(folders, folder) {
			continue
		}
		err := vectorstore.Forget(ctx, h.DB, version, func() error {
			_, err := h.Artifacts.DeletePrefix(ctx, folder)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
