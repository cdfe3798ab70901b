package dump

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// File is a dump's text in UTF-8, for any compression and encoding of the file.
type File struct {
	io.Reader
	Size int64 // bytes of the file on disk

	text *bufio.Reader
	raw  *counter
	ends []func() error
}

// Open opens a dump. The text is read as it is asked for, and never held in memory.
func Open(name string) (*File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the dump: %w", err)
	}
	f := &File{raw: &counter{from: file}, ends: []func() error{file.Close}}
	if info, err := file.Stat(); err == nil {
		f.Size = info.Size()
	}
	plain, err := f.decompress(bufio.NewReader(f.raw))
	if err == nil {
		f.text, err = decode(bufio.NewReaderSize(plain, headerSize))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the dump %s: %w", name, err), f.Close())
	}
	f.Reader = f.text
	return f, nil
}

// BytesRead returns how much was read so far, in the bytes of the file on disk.
func (f *File) BytesRead() int64 { return f.raw.n.Load() }

// Close closes the file.
func (f *File) Close() error {
	var errs []error
	for _, end := range f.ends {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// archives are files that hold a dump and are none themselves, and dumps of other databases, by their first bytes.
var archives = map[string]string{
	"PK\x03\x04":      "a zip archive: unpack it first",
	"\xfd7zXZ\x00":    "compressed with xz: unpack it first (xz -d)",
	"7z\xbc\xaf":      "a 7z archive: unpack it first",
	"PGDMP":           "a dump of PostgreSQL, and MySQL's is wanted",
	"SQLite format 3": "a database of SQLite, and a dump of MySQL is wanted",
}

// decompress knows the format by the first bytes, because names lie.
func (f *File) decompress(r *bufio.Reader) (io.Reader, error) {
	start, err := r.Peek(16)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for begin, advice := range archives {
		if bytes.HasPrefix(start, []byte(begin)) {
			return nil, fmt.Errorf("it is %s", advice)
		}
	}
	switch {
	case bytes.HasPrefix(start, []byte("\x1f\x8b")):
		return gzip.NewReader(r)
	case bytes.HasPrefix(start, []byte("BZh")):
		return bzip2.NewReader(r), nil
	case bytes.HasPrefix(start, []byte("\x28\xb5\x2f\xfd")):
		decoder, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		f.ends = append(f.ends, func() error { decoder.Close(); return nil })
		return decoder, nil
	}
	return r, nil
}

// maxWindow bounds the memory of zstd, in bytes. It is the window of zstd --long.
const maxWindow = 128 << 20

// decode makes UTF-8 of UTF-16, which some shells write, and drops a byte order mark. A dump that is neither is in
// the character set that its own SET NAMES says.
func decode(r *bufio.Reader) (*bufio.Reader, error) {
	start, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	order, mark := unicode.LittleEndian, unicode.IgnoreBOM
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, err := r.Discard(3)
		return r, err
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		mark = unicode.ExpectBOM
	case len(start) == 4 && start[0] != 0 && start[1] == 0 && start[3] == 0:
	case len(start) == 4 && start[0] == 0 && start[1] != 0 && start[2] == 0:
		order = unicode.BigEndian
	default:
		return r, nil
	}
	return bufio.NewReaderSize(transform.NewReader(r, unicode.UTF16(order, mark).NewDecoder()), headerSize), nil
}

// counter counts the bytes that were read through it.
type counter struct {
	from io.Reader
	n    atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	return n, err
}
