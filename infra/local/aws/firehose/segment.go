package firehose

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// segment is a file of records, each behind its length (4 bytes, big-endian), so that a record that a kill
// cut off is not taken for one.
type segment struct {
	file *os.File
	size int64 // of the file
}

func newSegment(path string) (*segment, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return &segment{file: file}, err
}

func (s *segment) path() string { return s.file.Name() }
func (s *segment) close() error { return s.file.Close() }

// append writes all records or none: a full disk must leave no half record before later ones.
func (s *segment) append(records [][]byte) error {
	var frames []byte
	for _, record := range records {
		frames = binary.BigEndian.AppendUint32(frames, uint32(len(record)))
		frames = append(frames, record...)
	}
	if _, err := s.file.WriteAt(frames, s.size); err != nil {
		return errors.Join(err, s.file.Truncate(s.size))
	}
	s.size += int64(len(frames))
	return nil
}

// copySegment writes the whole records of a segment one after the other.
func copySegment(w io.Writer, path string) (records int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, 64<<10)
	buffer := make([]byte, 0, 4<<10)
	for {
		var length [4]byte
		if _, err := io.ReadFull(reader, length[:]); err != nil {
			return records, cutOff(err)
		}
		size := binary.BigEndian.Uint32(length[:])
		if size > maxRecordBytes {
			return records, errors.New("a buffer file is damaged: a record is longer than any can be")
		}
		buffer = append(buffer[:0], make([]byte, size)...)
		if _, err := io.ReadFull(reader, buffer); err != nil {
			return records, cutOff(err)
		}
		if _, err := w.Write(buffer); err != nil {
			return records, err
		}
		records++
	}
}

// cutOff takes the end of the file for the end of the records, also within one: that was never accepted.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
