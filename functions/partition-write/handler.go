// Command partition-write writes one Parquet object for each customer of a range, or one for the whole range, the way that
// Athena, Spark and DuckDB read a Hive-partitioned data set. The shop's layout says which.
//
// Input: workflow.RangeInput. Output: workflow.Partitioned. Reads lake.ShapeKey and lake.RangeKey. Writes
// lake.PartitionKey for each customer, or lake.PartKey, then lake.RangeReportKey. Errors: InvalidInput,
// ObjectStoreUnavailable.
package main

import (
	"bytes"
	"context"
	"log/slog"
	"sync"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Handler writes the partitions of ranges.
type Handler struct {
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
	if report.Part != nil {
		out.Partitions = 1
	}
	metrics.Count(ctx, metrics.Rows, out.Rows)
	slog.InfoContext(ctx, "partitioned", "run", in.ID, "range", in.Range.Index,
		"partitions", out.Partitions, "rows", out.Rows)
	return out, nil
}

// write writes the range's objects and returns the report on them.
func (h Handler) write(ctx context.Context, in workflow.RangeInput) (lake.RangeReport, error) {
	shop, err := runshop.Read(ctx, h.Lake, in.ID)
	if err != nil {
		return lake.RangeReport{}, err
	}
	table, err := training.OpenFile(ctx, h.Lake, lake.RangeKey(in.ID, in.Range.Index))
	if err != nil {
		return lake.RangeReport{}, err
	}
	defer table.Close()
	facts, err := training.ReadFacts(table.File)
	if err != nil {
		return lake.RangeReport{}, err
	}
	report := lake.RangeReport{
		Range: in.Range.Index, Rejected: byReason(facts.Rejected), RatingType: string(training.Ratings(shop)), Partitions: []lake.Partition{},
		Skipped: byReason(facts.Skipped), Kinds: facts.Kinds, Newest: facts.NewestTime(),
	}
	if shop.Layout == shape.ByRange {
		return report, h.writePart(ctx, in, table, &report)
	}
	return report, h.writePartitions(ctx, shop, in, table.File, &report)
}

func byReason(counts map[training.Reason]int64) map[string]int64 {
	out := make(map[string]int64, len(counts))
	for reason, rows := range counts {
		out[string(reason)] = rows
	}
	return out
}

// writePart copies the range's file, which has all columns and its rows in the order of customers already.
func (h Handler) writePart(ctx context.Context, in workflow.RangeInput, table *training.Object, report *lake.RangeReport) error {
	customers, err := countCustomers(table.File)
	if err != nil {
		return err
	}
	report.Rows = table.File.NumRows()
	report.Part = &lake.Part{Range: in.Range.Index, Customers: customers, Rows: report.Rows, Bytes: table.File.Size()}
	_, err = h.Lake.PutFile(ctx, lake.PartKey(in.ID, in.Range.Index), table.Scratch)
	return err
}

// writePartitions encodes partitions one after the other while those before are being put.
func (h Handler) writePartitions(ctx context.Context, shop shape.Shop, in workflow.RangeInput, file *parquet.File, report *lake.RangeReport) error {
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	uploads, uploading := errgroup.WithContext(ctx)
	uploads.SetLimit(h.Uploads)
	split := newSplitter(shop, func() *bytes.Buffer {
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
	encoding := split.all(file)
	if err := uploads.Wait(); err != nil {
		return err
	}
	return encoding
}
