package embeddings

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// MaxDimension is the most that pgvector's HNSW takes of the type vector.
const MaxDimension = 2000

// split cuts a record into its two fields, as RFC 4180 quotes them.
func split(record []byte) (id, embedding []byte, reason string) {
	if record[0] != '"' {
		id, embedding, found := bytes.Cut(record, []byte{','})
		if !found {
			return nil, nil, "one field; want id,embedding"
		}
		embedding, reason = unquote(embedding)
		return id, embedding, reason
	}
	end := closingQuote(record, 1)
	if end < 0 {
		return nil, nil, "unterminated quote"
	}
	id, record = record[1:end], record[end+1:]
	if len(record) == 0 || record[0] != ',' {
		return nil, nil, "no comma after the id"
	}
	if bytes.IndexByte(id, '"') >= 0 {
		id = bytes.ReplaceAll(id, []byte(`""`), []byte(`"`))
	}
	embedding, reason = unquote(record[1:])
	return id, embedding, reason
}

// closingQuote returns where the quoted field ends that goes on at from, or -1. Two quotes are one in the field.
func closingQuote(record []byte, from int) int {
	for at := from; at < len(record); at++ {
		quote := bytes.IndexByte(record[at:], '"')
		if quote < 0 {
			return -1
		}
		at += quote
		if at+1 == len(record) || record[at+1] != '"' {
			return at
		}
		at++
	}
	return -1
}

func unquote(field []byte) ([]byte, string) {
	if len(field) == 0 {
		return nil, "no embedding"
	}
	if field[0] != '"' {
		if bytes.IndexByte(field, ',') >= 0 {
			return nil, `the embedding is not in quotes; want id,"[0.1,0.2]"`
		}
		return field, "" // a single number needs none
	}
	if len(field) == 1 || field[len(field)-1] != '"' {
		return nil, "unterminated quote"
	}
	field = field[1 : len(field)-1]
	if bytes.IndexByte(field, '"') >= 0 {
		return nil, "a quote within the embedding"
	}
	return field, ""
}

// appendVector reads a pgvector literal, [0.1,0.2]: 1 to 2,000 finite numbers of float32, not all zero.
func appendVector(vector []float32, literal []byte) (_ []float32, reason string) {
	literal = bytes.TrimSpace(literal)
	if len(literal) < 2 || literal[0] != '[' || literal[len(literal)-1] != ']' {
		return vector, "the embedding is not in square brackets; want [0.1,0.2]"
	}
	rest, more := literal[1:len(literal)-1], true
	var square float32
	for more {
		var number []byte
		number, rest, more = bytes.Cut(rest, []byte{','})
		if len(vector) == MaxDimension {
			return vector, fmt.Sprintf("more than %d numbers, the most that the index takes", MaxDimension)
		}
		value, reason := parseNumber(bytes.TrimSpace(number))
		if reason != "" {
			return vector, fmt.Sprintf("number %d %s", len(vector)+1, reason)
		}
		square += value * value
		vector = append(vector, value)
	}
	switch {
	case square == 0:
		return vector, "all numbers are zero, or too small to have a direction"
	case math.IsInf(float64(square), 0):
		return vector, "the numbers are too large to have a length"
	}
	return vector, ""
}

func parseNumber(text []byte) (float32, string) {
	value, err := strconv.ParseFloat(string(text), 32) // does not allocate: the string does not escape
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return 0, "is not finite"
	case err != nil:
		return 0, "is no number"
	}
	return float32(value), ""
}
