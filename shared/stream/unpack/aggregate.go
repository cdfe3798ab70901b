package unpack

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// An aggregate of the Kinesis Producer Library is a magic number, a protobuf message and the MD5 of the message:
//
//	message AggregatedRecord {
//	  repeated string partition_key_table     = 1;
//	  repeated string explicit_hash_key_table = 2;
//	  repeated Record records                 = 3;
//	}
//	message Record {
//	  required uint64 partition_key_index     = 1;
//	  optional uint64 explicit_hash_key_index = 2;
//	  required bytes  data                    = 3;
//	  repeated Tag    tags                    = 4;  // not used by the library
//	}
//
// https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md

var aggregateMagic = []byte{0xf3, 0x89, 0x9a, 0xc2}

const (
	tablePartitionKeys, tableHashKeys, fieldRecords = 1, 2, 3
	fieldPartitionKey, fieldHashKey, fieldData      = 1, 2, 3
)

// aggregate is an AggregatedRecord, read.
type aggregate struct {
	partitionKeys []string
	hashKeys      int // their number. A record's place on the stream is known without them
	records       []aggregated
}

// aggregated is a Record of an aggregate.
type aggregated struct {
	partitionKey, hashKey uint64 // places in the tables
	hasKey, hasHashKey    bool
	data                  []byte
	hasData               bool
}

// deaggregate takes an aggregate apart. The parts refer to its bytes.
func deaggregate(data []byte) ([]Part, error) {
	message := data[len(aggregateMagic):]
	if len(message) < md5.Size {
		return nil, errors.New("broken KPL aggregate: it ends before its checksum")
	}
	message, checksum := message[:len(message)-md5.Size], message[len(message)-md5.Size:]
	if sum := md5.Sum(message); !bytes.Equal(sum[:], checksum) {
		return nil, errors.New("broken KPL aggregate: its MD5 is another one")
	}
	a, err := readAggregate(message)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(a.records))
	for i, record := range a.records {
		if err := a.check(record); err != nil {
			return nil, fmt.Errorf("broken KPL aggregate: record %d %w", i, err)
		}
		parts[i] = Part{Data: record.data, PartitionKey: a.partitionKeys[record.partitionKey]}
	}
	if len(parts) == 0 {
		return nil, errors.New("KPL aggregate without records")
	}
	return parts, nil
}

func (a *aggregate) check(record aggregated) error {
	switch {
	case !record.hasData:
		return errors.New("has no data")
	case !record.hasKey || record.partitionKey >= uint64(len(a.partitionKeys)):
		return errors.New("has no partition key")
	case record.hasHashKey && record.hashKey >= uint64(a.hashKeys):
		return errors.New("has a hash key that is not in the table")
	}
	return nil
}

func readAggregate(message []byte) (a aggregate, err error) {
	err = fields(message, func(f field) error {
		switch f.number {
		case tablePartitionKeys:
			a.partitionKeys = append(a.partitionKeys, string(f.bytes))
		case tableHashKeys:
			a.hashKeys++
		case fieldRecords:
			record, err := readRecord(f.bytes)
			if err != nil {
				return err
			}
			a.records = append(a.records, record)
		default:
			return nil
		}
		if len(a.records) > MaxParts || len(a.partitionKeys) > MaxParts {
			return errTooMany
		}
		return f.want(protowire.BytesType)
	})
	return a, err
}

func readRecord(message []byte) (r aggregated, err error) {
	err = fields(message, func(f field) error {
		switch f.number {
		case fieldPartitionKey:
			r.partitionKey, r.hasKey = f.varint, true
			return f.want(protowire.VarintType)
		case fieldHashKey:
			r.hashKey, r.hasHashKey = f.varint, true
			return f.want(protowire.VarintType)
		case fieldData:
			r.data, r.hasData = f.bytes, true
			return f.want(protowire.BytesType)
		}
		return nil
	})
	return r, err
}

// field is a field of a protobuf message.
type field struct {
	number protowire.Number
	kind   protowire.Type
	varint uint64 // of a VarintType
	bytes  []byte // of a BytesType
}

func (f field) want(kind protowire.Type) error {
	if f.kind != kind {
		return fmt.Errorf("broken KPL aggregate: field %d is of another type", f.number)
	}
	return nil
}

// fields calls take with each field of a message, in its order.
func fields(message []byte, take func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("broken KPL aggregate: %w", protowire.ParseError(n))
		}
		message = message[n:]
		f := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("broken KPL aggregate: %w", protowire.ParseError(n))
		}
		message = message[n:]
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}
