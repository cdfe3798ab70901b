package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/stream/activity"
)

// extensions are those of the formats' files.
var extensions = map[string]string{"parquet": "parquet", "ndjson": "ndjson.gz"}

// item is a place in a list.
type item struct {
	product  string
	score    float64 // higher is better
	strategy string
}

// similarStrategy names the way in which similar products are found.
const similarStrategy = "similar"

// rowsOf returns the list of each answer.
func rowsOf(list string, metric distance.Metric, answers []activity.Answer) [][]item {
	lists := make([][]item, len(answers))
	for i, answer := range answers {
		if list == lake.ExportedProducts {
			for _, near := range answer.Similar.Items {
				lists[i] = append(lists[i], item{near.ID, metric.Score(near.Distance), similarStrategy})
			}
			continue
		}
		for _, scored := range answer.Recommended {
			lists[i] = append(lists[i], item{scored.ID, scored.Score, string(answer.Recommendation.Strategy)})
		}
	}
	return lists
}

// recommended is a row of lake.ExportedCustomers. The customer has the type of the shop's ids.
type recommended[ID int32 | int64 | string] struct {
	Customer ID      `parquet:"customer" json:"customer"`
	Rank     int32   `parquet:"rank" json:"rank"` // 1 is the best
	Product  string  `parquet:"product,dict" json:"product"`
	Score    float64 `parquet:"score" json:"score"`
	Strategy string  `parquet:"strategy,dict" json:"strategy"`
	Version  int64   `parquet:"version" json:"version"`
}

// similar is a row of lake.ExportedProducts.
type similar struct {
	Product  string  `parquet:"product,dict" json:"product"`
	Rank     int32   `parquet:"rank" json:"rank"` // 1 is the nearest
	Similar  string  `parquet:"similar,dict" json:"similar"`
	Score    float64 `parquet:"score" json:"score"`
	Strategy string  `parquet:"strategy,dict" json:"strategy"`
	Version  int64   `parquet:"version" json:"version"`
}

// writer writes the lists of a range to a local file.
type writer struct {
	scratch            *os.File
	rows, lists, bytes int64
	version            int64
	append             func(id string, rank int32, of item) error
	end                func() error
}

func newWriter(scratch *os.File, format string, shop shape.Shop, list string, version int64) *writer {
	w := &writer{scratch: scratch, version: version}
	switch {
	case list == lake.ExportedProducts:
		add, end := encoder[similar](scratch, format)
		w.end, w.append = end, func(id string, rank int32, of item) error {
			return add(similar{id, rank, of.product, of.score, of.strategy, version})
		}
	case shop.Customer.Type == shape.Int:
		appendTo[int32](w, format, shop.Customer.Type)
	case shop.Customer.Type == shape.BigInt:
		appendTo[int64](w, format, shop.Customer.Type)
	default:
		appendTo[string](w, format, shop.Customer.Type)
	}
	return w
}

func appendTo[ID int32 | int64 | string](w *writer, format string, of shape.Type) {
	add, end := encoder[recommended[ID]](w.scratch, format)
	w.end = end
	w.append = func(id string, rank int32, item item) error {
		value, err := of.Value(id)
		if err != nil {
			return err
		}
		return add(recommended[ID]{value.(ID), rank, item.product, item.score, item.strategy, w.version})
	}
}

// encoder returns the functions that write a row and end the file.
func encoder[Row any](out io.Writer, format string) (add func(Row) error, end func() error) {
	if format == "ndjson" {
		compressed := gzip.NewWriter(out)
		lines := json.NewEncoder(compressed)
		return func(row Row) error { return lines.Encode(row) }, compressed.Close
	}
	file := parquet.NewGenericWriter[Row](out, training.Options()...)
	rows := make([]Row, 0, 4096)
	flush := func() error {
		_, err := file.Write(rows)
		rows = rows[:0]
		return err
	}
	add = func(row Row) error {
		if rows = append(rows, row); len(rows) < cap(rows) {
			return nil
		}
		return flush()
	}
	return add, func() error { return errors.Join(flush(), file.Close()) }
}

// add appends the lists of these ids, in their order. An empty list has no rows.
func (w *writer) add(ids []string, lists [][]item) error {
	if len(lists) != len(ids) {
		return fmt.Errorf("%d lists for %d ids", len(lists), len(ids))
	}
	for i, list := range lists {
		for place, item := range list {
			if err := w.append(ids[i], int32(place+1), item); err != nil {
				return err
			}
		}
		w.rows += int64(len(list))
		w.lists += int64(min(len(list), 1))
	}
	return nil
}

// finish completes the file.
func (w *writer) finish() error {
	if err := w.end(); err != nil {
		return err
	}
	info, err := w.scratch.Stat()
	if err == nil {
		w.bytes = info.Size()
	}
	return err
}

// Close removes the local file.
func (w *writer) Close() { w.scratch.Close() }
