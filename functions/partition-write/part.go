package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// countCustomers counts the different ids in the last column of a range's file.
func countCustomers(file *parquet.File) (int64, error) {
	ids := map[string]struct{}{}
	values := make([]parquet.Value, 1024)
	for _, group := range file.RowGroups() {
		chunks := group.ColumnChunks()
		pages := chunks[len(chunks)-1].Pages()
		err := eachValue(pages, values, func(value parquet.Value) {
			if _, known := ids[string(value.Bytes())]; !known {
				ids[string(value.Bytes())] = struct{}{}
			}
		})
		if err := errors.Join(err, pages.Close()); err != nil {
			return 0, fmt.Errorf("reading the range's customers: %w", err)
		}
	}
	return int64(len(ids)), nil
}

// eachValue visits the values of a column's pages.
func eachValue(pages parquet.Pages, values []parquet.Value, visit func(parquet.Value)) error {
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(values)
			for _, value := range values[:n] {
				visit(value)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}
