// Package unpack takes a Kinesis record apart into the activity records that its producer packed into it.
//
// Producers pack in three ways, and in any of them inside another, up to maxDepth deep:
//
//   - aggregation by the Kinesis Producer Library (aggregate.go)
//   - gzip, of one member or of several
//   - NDJSON, one JSON object on each line (activity.Lines)
//
// Any other record is one part, as it came. Blank text around a packed record falls away. The output is bounded by
// MaxParts and MaxBytes, because a small record can unpack to a huge one.
package unpack

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"recsys/shared/stream/activity"
)

const (
	// MaxParts is the most activity records that a Kinesis record may hold: they are done, or come again, together.
	MaxParts = 10_000
	// MaxBytes is the most that a Kinesis record may unpack to. 1 MiB of JSON in gzip is 10 to 20 MiB.
	MaxBytes = 32 << 20

	maxDepth = 3 // packings inside each other: gzip, an aggregate of gzip, and its lines
)

// Part is an activity record of a Kinesis record.
type Part struct {
	Data []byte
	// PartitionKey is the part's own in an aggregate. "" if it is the Kinesis record's.
	PartitionKey string
	// Err is why Data could not be taken apart, nil for most.
	Err error
}

// Record returns the parts of a Kinesis record, in its order and at least one. The same record always gives the same parts.
// A broken packing is one part with its Err, and the parts next to it are whole. A record that is beyond the limits is one
// part, too.
func Record(data []byte) []Part {
	var u unpacker
	if err := u.take(Part{Data: data}, 0); err != nil {
		return []Part{{Data: data, Err: err}}
	}
	return u.parts
}

// EventID returns the event id of a part: the Kinesis record's, with the part's index behind it if there are several.
func EventID(record string, index, parts int) string {
	if parts == 1 {
		return record
	}
	return record + "-" + strconv.Itoa(index)
}

var gzipMagic = []byte{0x1f, 0x8b}

// IsPacked reports whether the data begins as a packing does that is no text.
func IsPacked(data []byte) bool {
	return bytes.HasPrefix(data, gzipMagic) || bytes.HasPrefix(data, aggregateMagic)
}

var (
	errTooMany = fmt.Errorf("it holds more than %d records: pack fewer into one", MaxParts)
	errTooLong = fmt.Errorf("it unpacks to more than %d bytes: pack fewer records into one", MaxBytes)
)

// unpacker gathers the parts of one Kinesis record.
type unpacker struct {
	parts    []Part
	unpacked int // bytes
}

// take adds the parts of a record that is packed depth times. An error is about the limits, and so about the whole
// record.
func (u *unpacker) take(part Part, depth int) error {
	if !IsPacked(part.Data) {
		for line := range activity.Lines(part.Data) {
			if depth > 0 {
				line = own(line)
			}
			if err := u.add(Part{Data: line, PartitionKey: part.PartitionKey}); err != nil {
				return err
			}
		}
		return nil
	}
	inner, err := u.open(part, depth)
	if errors.Is(err, errTooLong) || errors.Is(err, errTooMany) {
		return err
	}
	if err != nil {
		part.Err = err
		return u.add(part)
	}
	for _, part := range inner {
		if err := u.take(part, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// blankable is how long a line must be for the blanks inside it to be taken out. Shorter lines stay as they came.
const blankable = 64 << 10

// own copies a line, because a small one would keep all of the unpacked text in memory. Blanks can be most of a long line.
func own(line []byte) []byte {
	line = bytes.Trim(line, " \t\r\n")
	if len(line) < blankable {
		return bytes.Clone(line)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, line) != nil {
		return bytes.Clone(line) // no JSON: there is nothing to tell blanks by
	}
	return bytes.Clone(compact.Bytes())
}

func (u *unpacker) add(part Part) error {
	if len(u.parts) == MaxParts {
		return errTooMany
	}
	u.parts = append(u.parts, part)
	return nil
}

// open removes one packing.
func (u *unpacker) open(part Part, depth int) ([]Part, error) {
	if depth == maxDepth {
		return nil, fmt.Errorf("it is packed more than %d times over", maxDepth)
	}
	if bytes.HasPrefix(part.Data, aggregateMagic) {
		return deaggregate(part.Data)
	}
	text, err := u.inflate(part.Data)
	return []Part{{Data: text, PartitionKey: part.PartitionKey}}, err
}

// inflate reads gzip, all members of it.
func (u *unpacker) inflate(data []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not gzip, though it begins so: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(reader, int64(MaxBytes-u.unpacked)+1))
	u.unpacked += len(text)
	if u.unpacked > MaxBytes {
		return nil, errTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("broken gzip: %w", err)
	}
	return text, nil
}
