package sourcefiles

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// spool is a scratch file of raw rows: the length of each text, and the text.
type spool struct {
	file   *os.File
	buffer *bufio.Writer
	rows   int64
	bytes  int64
	length [binary.MaxVarintLen64]byte
}

const spoolBuffer = 64 << 10

func newSpool() (*spool, error) {
	file, err := objectstore.Scratch()
	if err != nil {
		return nil, err
	}
	return &spool{file: file, buffer: bufio.NewWriterSize(file, spoolBuffer)}, nil
}

func (s *spool) add(raw training.Raw) error {
	for _, text := range raw {
		n := binary.PutUvarint(s.length[:], uint64(len(text)))
		if _, err := s.buffer.Write(s.length[:n]); err != nil {
			return fmt.Errorf("writing to the scratch disk: %w", err)
		}
		if _, err := s.buffer.WriteString(text); err != nil {
			return fmt.Errorf("writing to the scratch disk: %w", err)
		}
		s.bytes += int64(n + len(text))
	}
	s.rows++
	return nil
}

// each visits the rows from the first one. Each has so many texts.
func (s *spool) each(texts int, visit func(training.Raw) error) error {
	if err := s.buffer.Flush(); err != nil {
		return fmt.Errorf("writing to the scratch disk: %w", err)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the scratch disk: %w", err)
	}
	from, buffer := bufio.NewReaderSize(s.file, spoolBuffer), []byte(nil)
	ends := make([]int, texts)
	for range s.rows {
		buffer = buffer[:0]
		for i := range ends {
			length, err := binary.ReadUvarint(from)
			if err != nil {
				return fmt.Errorf("reading the scratch disk: %w", err)
			}
			start := len(buffer)
			buffer = slices.Grow(buffer, int(length))[:start+int(length)]
			if _, err := io.ReadFull(from, buffer[start:]); err != nil {
				return fmt.Errorf("reading the scratch disk: %w", err)
			}
			ends[i] = len(buffer)
		}
		if err := visit(split(string(buffer), ends)); err != nil {
			return err
		}
	}
	return nil
}

// split parts a row's text at the ends of its columns.
func split(text string, ends []int) training.Raw {
	raw, start := make(training.Raw, len(ends)), 0
	for i, end := range ends {
		raw[i], start = text[start:end], end
	}
	return raw
}

// close deletes the file. Nil may be closed.
func (s *spool) close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

func closeAll(spools []*spool) (err error) {
	for _, s := range spools {
		err = errors.Join(err, s.close())
	}
	return err
}
