package als

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"recsys/shared/contract/option"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/coldstart"
)

// Checkpoint is the state after an iteration. Of Factors it holds the vectors: the maps follow from them.
type Checkpoint struct {
	Iteration   int     // 1 to Options.Iterations
	Loss        float64 // the objective at these vectors
	Factors     Factors
	Fingerprint [32]byte // of the data, and of the options save Workers
}

// RefusedCheckpoint is one that is damaged, or of other data or options.
type RefusedCheckpoint struct{ Reason string }

func (e *RefusedCheckpoint) Error() string { return "the checkpoint cannot be used: " + e.Reason }

// checkpointHead is how an encoded checkpoint begins, little-endian. The users' numbers follow, the items', and the
// CRC-32C of all that.
type checkpointHead struct {
	Magic                    [4]byte
	Version                  uint32
	Fingerprint              [32]byte
	Iteration, Dimension     uint32
	UserNumbers, ItemNumbers uint64
	Loss                     float64
}

var checkpointMagic = [4]byte{'r', 'A', 'L', 'S'}

const (
	checkpointVersion = 1
	maxNumbers        = 1 << 38 // a terabyte, because the rest is read piece by piece
	chunkNumbers      = 1 << 14
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteTo encodes the checkpoint for ReadCheckpoint. Errors are w's.
func (c Checkpoint) WriteTo(w io.Writer) (written int64, err error) {
	out := &summed{writer: w}
	head := checkpointHead{checkpointMagic, checkpointVersion, c.Fingerprint, uint32(c.Iteration), uint32(c.Factors.Dimension),
		uint64(len(c.Factors.Users)), uint64(len(c.Factors.Items)), c.Loss}
	if err := binary.Write(out, binary.LittleEndian, head); err != nil {
		return out.written, err
	}
	for _, numbers := range [][]float32{c.Factors.Users, c.Factors.Items} {
		if err := writeNumbers(out, numbers); err != nil {
			return out.written, err
		}
	}
	err = binary.Write(out, binary.LittleEndian, out.sum)
	return out.written, err
}

// summed counts the written bytes and sums them up.
type summed struct {
	writer  io.Writer
	written int64
	sum     uint32
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.writer.Write(p)
	s.written, s.sum = s.written+int64(n), crc32.Update(s.sum, castagnoli, p[:n])
	return n, err
}

func writeNumbers(w io.Writer, numbers []float32) error {
	buffer := make([]byte, 0, 4*chunkNumbers)
	for len(numbers) > 0 {
		n := min(chunkNumbers, len(numbers))
		buffer = buffer[:0]
		for _, v := range numbers[:n] {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}

// isDimension reports a dimension that Options may ask for.
func isDimension(d uint64) bool {
	options := Default().Training
	options.Factors = int(d)
	return option.Check(options) == nil
}

// ReadCheckpoint decodes the output of WriteTo, up to the end of r. Memory grows with the bytes that are there, not
// with the sizes that the head claims. Errors: *RefusedCheckpoint, and r's.
func ReadCheckpoint(r io.Reader) (c Checkpoint, err error) {
	sum := crc32.New(castagnoli)
	in := io.TeeReader(r, sum)
	var head checkpointHead
	if err := binary.Read(in, binary.LittleEndian, &head); err != nil {
		return c, endsEarly(err)
	}
	switch d := uint64(head.Dimension); {
	case head.Magic != checkpointMagic:
		return c, &RefusedCheckpoint{"it is a file of another kind"}
	case head.Version != checkpointVersion:
		return c, &RefusedCheckpoint{fmt.Sprintf("it is of version %d, not %d", head.Version, checkpointVersion)}
	case !isDimension(d) || head.UserNumbers > maxNumbers || head.ItemNumbers > maxNumbers || head.UserNumbers%d != 0 || head.ItemNumbers%d != 0:
		return c, &RefusedCheckpoint{"its sizes cannot be right"}
	}
	c = Checkpoint{Iteration: int(head.Iteration), Loss: head.Loss, Fingerprint: head.Fingerprint, Factors: Factors{Dimension: int(head.Dimension)}}
	if c.Factors.Users, err = readNumbers(in, head.UserNumbers); err != nil {
		return Checkpoint{}, endsEarly(err)
	}
	if c.Factors.Items, err = readNumbers(in, head.ItemNumbers); err != nil {
		return Checkpoint{}, endsEarly(err)
	}
	want := sum.Sum32()
	var tail [5]byte
	switch n, err := io.ReadFull(r, tail[:]); {
	case err == nil:
		return Checkpoint{}, &RefusedCheckpoint{"there is more behind its end"}
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return Checkpoint{}, err
	case n < 4:
		return Checkpoint{}, endsEarly(err)
	case binary.LittleEndian.Uint32(tail[:]) != want:
		return Checkpoint{}, &RefusedCheckpoint{"it is damaged: its checksum is another"}
	}
	return c, nil
}

func readNumbers(r io.Reader, n uint64) ([]float32, error) {
	numbers := make([]float32, 0, min(n, chunkNumbers))
	buffer := make([]byte, 4*chunkNumbers)
	for left := n; left > 0; {
		chunk := buffer[:4*min(left, chunkNumbers)]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		for at := 0; at < len(chunk); at += 4 {
			numbers = append(numbers, math.Float32frombits(binary.LittleEndian.Uint32(chunk[at:])))
		}
		left -= uint64(len(chunk) / 4)
	}
	return numbers, nil
}

func endsEarly(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return &RefusedCheckpoint{"it ends early"}
	}
	return err
}

// fingerprint is the SHA-256 of all that the result depends on: about a second for 100 million ratings.
func fingerprint(data Data, o Options) [32]byte {
	o.Workers, o.Pinned = 0, settings.Pinned{} // they change no bit of the result
	sum := sha256.New()
	fmt.Fprintf(sum, "%+v %d %d\n", o, data.Ratings.Rows(), data.Ratings.Width)
	writeWhole(sum, data.Ratings.Start)
	writeWhole(sum, data.Ratings.Columns)
	writeWhole(sum, data.Ratings.Ratings)
	for _, f := range []*coldstart.Features{data.Users, data.Items} {
		fmt.Fprintf(sum, "\nfeatures %t\n", f != nil)
		if f != nil {
			fmt.Fprintln(sum, f.Rows(), f.Width)
			writeWhole(sum, f.Start)
			writeWhole(sum, f.Columns)
			_ = writeNumbers(sum, f.Values) // a hash takes everything
		}
	}
	return [32]byte(sum.Sum(nil))
}

func writeWhole[T uint16 | int32 | int64](w io.Writer, numbers []T) {
	buffer := make([]byte, 0, 8*chunkNumbers)
	for from := 0; from < len(numbers); from += chunkNumbers {
		buffer = buffer[:0]
		for _, v := range numbers[from:min(from+chunkNumbers, len(numbers))] {
			buffer = binary.LittleEndian.AppendUint64(buffer, uint64(v))
		}
		_, _ = w.Write(buffer) // a hash takes everything
	}
}
