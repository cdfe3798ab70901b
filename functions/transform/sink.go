package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// rejected is a line of the quarantine: the rating as it came, and why it is no training row.
type rejected struct {
	Reason         training.Reason `json:"reason"`
	CustomerNumber *json.Number    `json:"customerNumber"`
	ProductCode    string          `json:"productCode"`
	ProductRating  *json.Number    `json:"productRating"`
}

// sink takes a range's rows into two scratch files: good ones and quarantine.
type sink struct {
	good, bad *os.File
	rows      *training.RowWriter
	buffer    *bufio.Writer
	lines     *json.Encoder

	accepted, refused int64
	reasons           map[training.Reason]int64
}

func newSink(shop training.Shop, ratings training.RatingType) (*sink, error) {
	good, err := objectstore.Scratch()
	if err != nil {
		return nil, err
	}
	bad, err := objectstore.Scratch()
	if err != nil {
		good.Close()
		return nil, err
	}
	buffer := bufio.NewWriter(bad)
	return &sink{
		good: good, bad: bad, rows: shop.NewRowWriter(good, ratings),
		buffer: buffer, lines: json.NewEncoder(buffer), reasons: map[training.Reason]int64{},
	}, nil
}

// ratings is a stream of ratings by ascending customerNumber: training.Table.
type ratings interface {
	Next() (*training.RawRating, error)
}

// fill takes all ratings, joined.
func (s *sink) fill(ctx context.Context, ratings ratings, join *join) error {
	for {
		raw, err := ratings.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		parts, reason, err := join.row(raw)
		if err != nil {
			return err
		}
		if err := s.take(raw, parts, reason); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (s *sink) take(raw *training.RawRating, parts [][]parquet.Value, reason training.Reason) error {
	if reason == "" {
		s.accepted++
		return s.rows.Append(parts...)
	}
	s.refused++
	s.reasons[reason]++
	err := s.lines.Encode(rejected{reason, numberOrNull(raw.CustomerNumber), raw.ProductCode, numberOrNull(raw.ProductRating)})
	if err != nil {
		return fmt.Errorf("writing to quarantine: %w", err)
	}
	return nil
}

// numberOrNull is MySQL's text of a number for JSON.
func numberOrNull(text string) *json.Number {
	if text == "" {
		return nil
	}
	return (*json.Number)(&text)
}

// put stores the quarantine first: where there is a range's file, its rejects can be looked up.
func (s *sink) put(ctx context.Context, store *objectstore.Store, in workflow.RangeInput) error {
	if err := s.buffer.Flush(); err != nil {
		return fmt.Errorf("writing to quarantine: %w", err)
	}
	if err := training.SetRejected(s.rows, s.reasons); err != nil {
		return err
	}
	if err := s.rows.Close(); err != nil {
		return err
	}
	if _, err := store.PutFile(ctx, lake.QuarantineKey(in.ID, in.Range.Index), s.bad); err != nil {
		return err
	}
	_, err := store.PutFile(ctx, lake.RangeKey(in.ID, in.Range.Index), s.good)
	return err
}

func (s *sink) close() {
	s.good.Close()
	s.bad.Close()
}
