// Command partition-write writes one Parquet object for each customer of a range, the way that Athena, Spark
// and DuckDB read a Hive-partitioned data set.
//
// Input: workflow.RangeInput. Output: workflow.Partitioned. Reads lake.RangeKey. Writes lake.PartitionKey for each
// customer, then lake.RangeReportKey. Errors: InvalidInput, ObjectStoreUnavailable.
package main

import (
	"bytes"
	"context"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Handler writes the partitions of ranges.
type Handler struct {
	Shop    training.Shop
	Lake    *objectstore.Store
	Uploads int // partitions that are put at once, at least 1
}

// Handle writes one range's partitions. Run again, it writes the same objects. In memory are a row group of
// the range and, encoded, the partitions on their way to S3.
func (h Handler) Handle(ctx context.Context, in workflow.RangeInput) (workflow.Partitioned, error) {
	if err := in.Validate(); err != nil {
		return workflow.Partitioned{}, err
	}
	if h.Uploads < 1 {
		return workflow.Partitioned{}, failure.Invalidf("uploads at once: %d, want at least 1", h.Uploads)
	}
	report, err := h.write(ctx, in)
	if err != nil {
		return workflow.Partitioned{}, err
	}
	if _, err := h.Lake.PutJSON(ctx, lake.RangeReportKey(in.ID, in.Range.Index), report); err != nil {
		return workflow.Partitioned{}, err
	}
	out := workflow.Partitioned{Partitions: int64(len(report.Partitions)), Rows: report.Rows}
	metrics.Count(ctx, metrics.Rows, out.Rows)
	slog.InfoContext(ctx, "partitioned", "run", in.ID, "range", in.Range.Index,
		"partitions", out.Partitions, "rows", out.Rows)
	return out, nil
}

// write encodes partitions one after the other while those before are being put.
func (h Handler) write(ctx context.Context, in workflow.RangeInput) (lake.RangeReport, error) {
	table, err := training.OpenFile(ctx, h.Lake, lake.RangeKey(in.ID, in.Range.Index))
	if err != nil {
		return lake.RangeReport{}, err
	}
	defer table.Close()
	rejected, err := training.Rejected(table.File)
	if err != nil {
		return lake.RangeReport{}, err
	}
	report := lake.RangeReport{
		Range: in.Range.Index, Rejected: rejected, RatingType: string(training.RatingsOf(table.File)), Partitions: []lake.Partition{},
	}
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	uploads, uploading := errgroup.WithContext(ctx)
	uploads.SetLimit(h.Uploads)
	split := newSplitter(h.Shop, func() *bytes.Buffer {
		buffer := buffers.Get().(*bytes.Buffer)
		buffer.Reset()
		return buffer
	})
	split.done = func(partition lake.Partition, content *bytes.Buffer) error {
		report.Rows += partition.Rows
		report.Partitions = append(report.Partitions, partition)
		uploads.Go(func() error {
			key := lake.PartitionKey(in.ID, partition.CustomerNumber)
			_, err := h.Lake.Put(uploading, key, bytes.NewReader(content.Bytes()))
			buffers.Put(content)
			return err
		})
		return uploading.Err()
	}
	encoding := split.all(table.File)
	if err := uploads.Wait(); err != nil {
		return report, err
	}
	return report, encoding
}
