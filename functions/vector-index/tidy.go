package main

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"recsys/shared/lake"
	"recsys/shared/vectorstore"
)

// tidy drops what no rollback needs. A version that cannot be dropped now, since somebody reads it, is left to
// the next run: what answers does not depend on it.
func (h *Handler) tidy(ctx context.Context) {
	dropped, err := vectorstore.DropOld(ctx, h.DB, h.KeepVersions)
	if err == nil {
		err = h.deleteArtifacts(ctx, dropped)
	}
	if err != nil {
		slog.WarnContext(ctx, "old versions are left to the next run", "error", err)
	}
}

// deleteArtifacts goes by what lies in the bucket, so that it finds what a killed attempt left.
func (h *Handler) deleteArtifacts(ctx context.Context, dropped []int64) error {
	root, _ := strings.CutSuffix(lake.VersionKey(0, ""), "0/")
	folders, err := h.Artifacts.Folders(ctx, root)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		name := strings.TrimSuffix(strings.TrimPrefix(folder, root), "/")
		version, err := strconv.ParseInt(name, 10, 64)
		if err != nil || !slices.Contains(dropped, version) {
			continue
		}
		if _, err := h.Artifacts.DeletePrefix(ctx, folder); err != nil {
			return err
		}
	}
	return nil
}
