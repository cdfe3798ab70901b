package sampleshop

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// itemColumns are the columns of a training row that describe the product.
var itemColumns = []string{"productCode", "productLine", "productScale", "quantityInStock", "buyPrice", "MSRP"}

// WriteTraining writes the ratings joined with customer and product as CSV, one line a rating. They are the training
// rows that the pipeline makes of this shop, with their columns in their order. Strings are trimmed, NULL is an empty
// field. Errors are those of Validate and of w.
func WriteTraining(w io.Writer, o Options) error {
	s, err := newShop(o)
	if err != nil {
		return err
	}
	if err := s.writeTraining(w); err != nil {
		return fmt.Errorf("writing the sample shop's training rows: %w", err)
	}
	return nil
}

func (s *shop) writeTraining(w io.Writer) error {
	lines := csv.NewWriter(w)
	record := append([]string{"customerNumber", "city", "state", "postalCode", "country", "creditLimit"}, itemColumns...)
	if err := lines.Write(append(record, "productRating")); err != nil {
		return err
	}
	for b := s.baskets(); ; {
		u, bought, ok := b.step()
		if !ok {
			lines.Flush()
			return lines.Error()
		}
		credit := ""
		if u.credit != noCredit {
			credit = string(appendMoney(nil, u.credit))
		}
		customer := []string{strconv.Itoa(u.number), strings.TrimSpace(u.city), strings.TrimSpace(u.state),
			strings.TrimSpace(u.postal), strings.TrimSpace(u.country), credit}
		for _, r := range bought {
			if r.value == 0 {
				continue
			}
			record = s.products[r.product].record(append(record[:0], customer...))
			if err := lines.Write(append(record, strconv.Itoa(r.value))); err != nil {
				return err
			}
		}
	}
}

func (p *product) record(into []string) []string {
	return append(into, p.code, p.line, strings.TrimSpace(p.scale), strconv.Itoa(p.stock),
		string(appendMoney(nil, p.buyPrice)), string(appendMoney(nil, p.msrp)))
}

// WriteProducts writes all products as CSV with the training row's product columns. A trainer needs them to embed
// unrated products. Errors are those of Validate and of w.
func WriteProducts(w io.Writer, o Options) error {
	s, err := newShop(o)
	if err != nil {
		return err
	}
	if err := s.writeProductLines(w); err != nil {
		return fmt.Errorf("writing the sample shop's products: %w", err)
	}
	return nil
}

func (s *shop) writeProductLines(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	lines := csv.NewWriter(buffered)
	if err := lines.Write(itemColumns); err != nil {
		return err
	}
	var record []string
	for i := range s.products {
		record = s.products[i].record(record[:0])
		if err := lines.Write(record); err != nil {
			return err
		}
	}
	lines.Flush()
	if err := lines.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}
