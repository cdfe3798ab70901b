// Package unpacktest packs activity records as producers do, for tests.
package unpacktest

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Aggregate returns records as the Kinesis Producer Library aggregates them, all under one partition key and one explicit hash
// key. https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
func Aggregate(partitionKey string, records ...string) []byte {
	message := Field(nil, 1, partitionKey)
	message = Field(message, 2, "170141183460469231731687303715884105728")
	for _, data := range records {
		record := Number(nil, 1, 0)
		record = Number(record, 2, 0)
		record = Field(record, 3, data)
		message = Field(message, 3, string(record))
	}
	return Seal(message)
}

// Field appends a length-delimited field to a protobuf message.
func Field(message []byte, number protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(message, number, protowire.BytesType), value)
}

// Number appends a varint field to a protobuf message.
func Number(message []byte, number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(message, number, protowire.VarintType), value)
}

// Seal puts the magic number before a protobuf message and its MD5 behind it.
func Seal(message []byte) []byte {
	sum := md5.Sum(message)
	return slices.Concat([]byte{0xf3, 0x89, 0x9a, 0xc2}, message, sum[:])
}

// Gzip returns the texts as gzip, a member each.
func Gzip(texts ...string) []byte {
	var packed bytes.Buffer
	for _, text := range texts {
		writer := gzip.NewWriter(&packed)
		_, _ = writer.Write([]byte(text)) // a buffer takes everything
		_ = writer.Close()
	}
	return packed.Bytes()
}
