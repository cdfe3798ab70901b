package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

const (
	// maxKinds bounds how many types of interactions a range may have. More are a column that is no type.
	maxKinds = 100
	// examples is how many skipped rows of each reason are kept.
	examples = 10
)

// sink takes a range's rows into scratch files: good ones, quarantine, and examples of those that were skipped.
type sink struct {
	shop     shape.Shop
	good     *os.File
	rows     *training.RowWriter
	bad      *lines
	skipped  *lines
	facts    training.Facts
	accepted int64
	refused  int64
	passed   int64
}

func newSink(shop shape.Shop) (*sink, error) {
	good, err := objectstore.Scratch()
	if err != nil {
		return nil, err
	}
	s := &sink{shop: shop, good: good, rows: training.NewRowWriter(shop, good), facts: training.NewFacts()}
	if s.bad, err = newLines(shop); err != nil {
		good.Close()
		return nil, err
	}
	if s.skipped, err = newLines(shop); err != nil {
		s.bad.file.Close()
		good.Close()
		return nil, err
	}
	return s, nil
}

// fill takes all interactions, joined.
func (s *sink) fill(ctx context.Context, interactions stream, join *join) error {
	for {
		raw, err := interactions.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		parts, reason, err := join.row(raw)
		if err != nil {
			return err
		}
		if reason != "" {
			err = s.leave(raw, reason)
		} else {
			err = s.take(&join.interaction, parts)
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// take writes a good row.
func (s *sink) take(of *training.Interaction, parts [][]parquet.Value) error {
	s.accepted++
	s.facts.Kinds[of.Kind]++
	if len(s.facts.Kinds) > maxKinds {
		return failure.SchemaMismatch.Errorf("the interactions have more than %d types: the column that the shop file calls type is none", maxKinds)
	}
	s.facts.Newest = max(s.facts.Newest, of.At)
	return s.rows.Append(parts...)
}

// leave counts a bad row, and writes it where the shop's rule for the reason says.
func (s *sink) leave(raw training.Raw, reason training.Reason) error {
	if training.RuleFor(s.shop, reason) == shape.Reject {
		s.refused++
		s.facts.Rejected[reason]++
		return s.bad.add(reason, raw)
	}
	s.passed++
	if s.facts.Skipped[reason]++; s.facts.Skipped[reason] > examples {
		return nil
	}
	return s.skipped.add(reason, raw)
}

// put stores the quarantine first: where there is a range's file, its rejects can be looked up.
func (s *sink) put(ctx context.Context, store *objectstore.Store, in workflow.RangeInput) error {
	if err := s.bad.put(ctx, store, lake.QuarantineKey(in.ID, in.Range.Index)); err != nil {
		return err
	}
	if !s.shop.IsLab() { // nothing is skipped in the lab's shop
		if err := s.skipped.put(ctx, store, lake.SkippedKey(in.ID, in.Range.Index)); err != nil {
			return err
		}
	}
	if err := s.rows.SetFacts(s.shop, s.facts); err != nil {
		return err
	}
	if err := s.rows.Close(); err != nil {
		return err
	}
	_, err := store.PutFile(ctx, lake.RangeKey(in.ID, in.Range.Index), s.good)
	return err
}

func (s *sink) close() {
	s.good.Close()
	s.bad.file.Close()
	s.skipped.file.Close()
}
