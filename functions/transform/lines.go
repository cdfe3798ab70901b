package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// lines is a file of NDJSON: interactions as they came, and why they are no training rows.
type lines struct {
	file    *os.File
	buffer  *bufio.Writer
	names   [][]byte // of the columns, as JSON
	numbers []bool   // the columns whose values are numbers
	line    bytes.Buffer
}

func newLines(shop shape.Shop) (*lines, error) {
	file, err := objectstore.Scratch()
	if err != nil {
		return nil, err
	}
	l := &lines{file: file, buffer: bufio.NewWriter(file), numbers: []bool{shop.Customer.Type.Whole(), shop.Product.Type.Whole()}}
	for _, name := range training.RawNames(shop, training.InteractionTable) {
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, fmt.Errorf("encoding a column's name: %w", err)
		}
		l.names = append(l.names, quoted)
	}
	for _, column := range shop.InteractionColumns {
		l.numbers = append(l.numbers, column.Type != shape.Text && column.Type != shape.Timestamp)
	}
	return l, nil
}

// add writes a row, with the columns in their order. A number that is missing is null.
func (l *lines) add(reason training.Reason, raw training.Raw) error {
	l.line.Reset()
	fmt.Fprintf(&l.line, `{"reason":%q`, reason)
	for i, text := range raw {
		value := []byte("null")
		if !l.numbers[i] || text != "" && !json.Valid([]byte(text)) {
			var err error
			if value, err = json.Marshal(text); err != nil {
				return fmt.Errorf("writing to quarantine: %w", err)
			}
		} else if text != "" {
			value = []byte(text)
		}
		l.line.WriteByte(',')
		l.line.Write(l.names[i])
		l.line.WriteByte(':')
		l.line.Write(value)
	}
	l.line.WriteString("}\n")
	if _, err := l.buffer.Write(l.line.Bytes()); err != nil {
		return fmt.Errorf("writing to quarantine: %w", err)
	}
	return nil
}

// put stores the file.
func (l *lines) put(ctx context.Context, store *objectstore.Store, key string) error {
	if err := l.buffer.Flush(); err != nil {
		return fmt.Errorf("writing to quarantine: %w", err)
	}
	_, err := store.PutFile(ctx, key, l.file)
	return err
}
