package blend

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"math"
)

// encoder writes numbers and sums their bytes up. The first error stays.
type encoder struct {
	w       *bufio.Writer
	sum     hash.Hash32
	written int64
	err     error
	buffer  []byte
}

func newEncoder(w io.Writer) *encoder {
	return &encoder{w: bufio.NewWriterSize(w, 1<<16), sum: crc32.New(castagnoli)}
}

func (e *encoder) bytes(p []byte) {
	if e.err != nil {
		return
	}
	e.sum.Write(p)
	n, err := e.w.Write(p)
	e.written, e.err = e.written+int64(n), err
}

func (e *encoder) fixed(value any) {
	e.buffer, _ = binary.Append(e.buffer[:0], binary.LittleEndian, value) // of a fixed size
	e.bytes(e.buffer)
}

func (e *encoder) text(s string) {
	e.fixed(uint16(len(s)))
	e.bytes([]byte(s))
}

// close writes the checksum and the rest of the buffer.
func (e *encoder) close() error {
	e.fixed(e.sum.Sum32())
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}

// chunk is how many numbers are turned into bytes at a time.
const chunk = 1 << 12

func numbers[T int32 | float32](e *encoder, values []T) {
	for from := 0; from < len(values) && e.err == nil; from += chunk {
		e.fixed(values[from:min(from+chunk, len(values))])
	}
}

// decoder reads numbers and sums their bytes up. The first error stays.
type decoder struct {
	r      *bufio.Reader
	sum    hash.Hash32
	err    error
	buffer [4 * chunk]byte // of numbers
}

func newDecoder(r io.Reader) *decoder {
	return &decoder{r: bufio.NewReaderSize(r, 1<<16), sum: crc32.New(castagnoli)}
}

// Read fills all of p.
func (d *decoder) Read(p []byte) (n int, err error) {
	if d.err != nil {
		return 0, d.err
	}
	if n, d.err = io.ReadFull(d.r, p); d.err == io.EOF || d.err == io.ErrUnexpectedEOF {
		d.err = &RefusedFile{"it ends early"}
	}
	d.sum.Write(p[:n])
	return n, d.err
}

func (d *decoder) check(holds bool, otherwise string) {
	if d.err == nil && !holds {
		d.err = &RefusedFile{otherwise}
	}
}

func (d *decoder) fixed(into any) {
	if err := binary.Read(d, binary.LittleEndian, into); err != nil && d.err == nil {
		d.err = err
	}
}

// text appends a text to dst.
func (d *decoder) text(dst []byte) []byte {
	var length uint16
	d.fixed(&length)
	d.check(length <= MaxID, "an id is too long")
	if d.err != nil {
		return dst
	}
	dst = append(dst, make([]byte, length)...)
	_, _ = d.Read(dst[len(dst)-int(length):])
	return dst
}

// close compares the checksum and expects the end.
func (d *decoder) close() {
	want := d.sum.Sum32()
	var got uint32
	d.fixed(&got)
	d.check(got == want, "it is damaged: its checksum is another")
	if d.err != nil {
		return
	}
	switch _, err := d.r.ReadByte(); {
	case err == nil:
		d.err = &RefusedFile{"there is more behind its end"}
	case !errors.Is(err, io.EOF):
		d.err = err
	}
}

// readNumbers appends n numbers to dst, which grows with the bytes that are there.
func readNumbers[T int32 | float32](d *decoder, dst []T, n uint64) []T {
	for left := n; left > 0 && d.err == nil; {
		part := d.buffer[:4*min(left, chunk)]
		if _, err := d.Read(part); err != nil {
			break
		}
		for at := 0; at < len(part); at += 4 {
			dst = append(dst, number[T](binary.LittleEndian.Uint32(part[at:])))
		}
		left -= uint64(len(part) / 4)
	}
	return dst
}

func number[T int32 | float32](bits uint32) (value T) {
	switch v := any(&value).(type) {
	case *int32:
		*v = int32(bits)
	case *float32:
		*v = math.Float32frombits(bits)
	}
	return value
}
