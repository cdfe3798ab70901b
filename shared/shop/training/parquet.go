package training

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const (
	// rowGroup bounds the rows that a writer and a reader hold in memory.
	rowGroup = 128 * 1024
	// pageBuffer is the size of a column's page before encoding, in bytes.
	pageBuffer = 128 * 1024
	// batch is how many rows go between a file and a step at once.
	batch = 1024
)

// Options of every Parquet file of the lake. The writer's name is fixed, since the default carries the
// build's, and the same input has to give the same bytes.
func Options() []parquet.WriterOption {
	return []parquet.WriterOption{
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.PageBufferSize(pageBuffer),
		parquet.CreatedBy("recsys", "1", "0"),
	}
}

// Writer writes rows to a Parquet file, batch by batch.
type Writer[T any] struct {
	file  *parquet.GenericWriter[T]
	rows  []T
	total int64
}

// NewWriter starts a file. Its ratings are whole if it has any. Close completes it.
func NewWriter[T any](out io.Writer) *Writer[T] {
	return NewWriterOf[T](out, WholeRatings)
}

// NewWriterOf starts a file whose ratings are of a type. Close completes it.
func NewWriterOf[T any](out io.Writer, ratings RatingType) *Writer[T] {
	return &Writer[T]{file: parquet.NewGenericWriter[T](out, ratings.WriterOptions()...), rows: make([]T, 0, batch)}
}

// Append adds a row. The values that it points at must not change until Close.
func (w *Writer[T]) Append(row T) error {
	w.rows = append(w.rows, row)
	w.total++
	if len(w.rows) < batch {
		return nil
	}
	return w.flush()
}

// Rows returns the number of rows that were added.
func (w *Writer[T]) Rows() int64 { return w.total }

// Close completes the file. It does not close the writer below.
func (w *Writer[T]) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("completing a Parquet file: %w", err)
	}
	return nil
}

func (w *Writer[T]) flush() error {
	if _, err := w.file.Write(w.rows); err != nil {
		return fmt.Errorf("writing Parquet rows: %w", err)
	}
	clear(w.rows)
	w.rows = w.rows[:0]
	return nil
}

// Open reads the footer of a Parquet file. The page index is left alone: every reader here reads all pages.
func Open(file *os.File) (*parquet.File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening a Parquet file: %w", err)
	}
	opened, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("opening a Parquet file: %w", err)
	}
	return opened, nil
}

// Scanner reads the rows of a Parquet file one after the other. T may name fewer columns than the file has.
type Scanner[T any] struct {
	file *parquet.GenericReader[T]
	rows []T
	next int
	end  error
}

// NewScanner starts at the first row. Close frees the buffers, and leaves the file open.
func NewScanner[T any](file *parquet.File) *Scanner[T] {
	return &Scanner[T]{file: NewReader[T](file), rows: make([]T, 0, batch)}
}

// Next returns the next row, or io.EOF. The row is valid until the next call. The values that it points at stay.
func (s *Scanner[T]) Next() (*T, error) {
	for s.next == len(s.rows) {
		if s.end != nil {
			return nil, s.end
		}
		s.fill()
	}
	s.next++
	return &s.rows[s.next-1], nil
}

func (s *Scanner[T]) fill() {
	s.rows, s.next = s.rows[:cap(s.rows)], 0
	n, err := s.file.Read(s.rows)
	s.rows = s.rows[:n]
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("reading Parquet rows: %w", err)
	}
	s.end = err
}

// Close frees the buffers.
func (s *Scanner[T]) Close() error { return s.file.Close() }
