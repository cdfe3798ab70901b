package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

// splitter turns a range's rows, sorted by customer, into one Parquet file a customer. Rows pass as column
// values, without becoming structs: a partition's row is a range's row without its last value.
type splitter struct {
	shop   shape.Shop
	writer *parquet.GenericWriter[any] // used for all files of a range
	buffer func() *bytes.Buffer        // gives an empty one
	// done takes a finished file. The buffer is its own from then on.
	done func(lake.Partition, *bytes.Buffer) error

	file    *bytes.Buffer // nil before the first row
	current lake.Partition
}

func newSplitter(shop shape.Shop, buffer func() *bytes.Buffer) *splitter {
	return &splitter{shop: shop, buffer: buffer}
}

// all splits a whole range's file.
func (s *splitter) all(file *parquet.File) error {
	s.writer = parquet.NewGenericWriter[any](io.Discard, append(training.Options(), training.PartitionSchema(s.shop))...)
	reader := parquet.NewGenericReader[any](file, training.RowSchema(s.shop))
	defer reader.Close()
	rows := make([]parquet.Row, 1024)
	for {
		n, err := reader.ReadRows(rows)
		if err := s.split(rows[:n]); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return s.finish()
		}
		if err != nil {
			return fmt.Errorf("reading the range's rows: %w", err)
		}
	}
}

// split writes each customer's stretch of rows into the file that is the customer's.
func (s *splitter) split(rows []parquet.Row) error {
	for len(rows) > 0 {
		customer := customerOf(rows[0])
		if err := s.open(customer); err != nil {
			return err
		}
		n := 0
		for n < len(rows) && customerOf(rows[n]) == customer {
			rows[n] = rows[n][:len(rows[n])-1]
			n++
		}
		if _, err := s.writer.WriteRows(rows[:n]); err != nil {
			return fmt.Errorf("writing the rows of customer %d: %w", customer, err)
		}
		s.current.Rows += int64(n)
		rows = rows[n:]
	}
	return nil
}

func customerOf(row parquet.Row) int32 { return row[len(row)-1].Int32() }

// open goes on with the customer's file, or finishes the one before and begins it.
func (s *splitter) open(customer int32) error {
	if s.file != nil && s.current.CustomerNumber == customer {
		return nil
	}
	if s.file != nil && customer < s.current.CustomerNumber {
		return fmt.Errorf("the range's rows are not in the order of customers: %d after %d", customer, s.current.CustomerNumber)
	}
	if err := s.finish(); err != nil {
		return err
	}
	s.file, s.current = s.buffer(), lake.Partition{CustomerNumber: customer}
	s.writer.Reset(s.file)
	return nil
}

func (s *splitter) finish() error {
	if s.file == nil {
		return nil
	}
	if err := s.writer.Close(); err != nil {
		return fmt.Errorf("completing the file of customer %d: %w", s.current.CustomerNumber, err)
	}
	s.current.Bytes = int64(s.file.Len())
	file := s.file
	s.file = nil
	return s.done(s.current, file)
}
