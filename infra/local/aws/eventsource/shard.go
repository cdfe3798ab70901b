package eventsource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// shard reads one shard, in order, and delivers it.
type shard struct {
	mapping  *Mapping
	id       string
	position types.ShardIteratorType // where to begin without a checkpoint

	latest time.Time // when the first LATEST iterator was asked for

	iterator *string // nil at the shard's end
	last     string  // sequence number of the last record read
	pending  []item  // read and not yet delivered
}

// run delivers batch after batch, and at the shard's end starts its children.
func (s *shard) run(ctx context.Context) {
	for {
		batch, err := s.next(ctx)
		if err != nil {
			return
		}
		if len(batch) == 0 {
			break
		}
		if err := s.deliver(ctx, batch); err != nil {
			return
		}
	}
	s.mapping.mu.Lock()
	s.mapping.known[s.id] = true
	s.mapping.mu.Unlock()
	s.persist(ctx, func() error { return s.mapping.discover(ctx, types.ShardIteratorTypeTrimHorizon) })
}

// next gathers a batch: a full one, or the records up to the end of the window. It is empty at the shard's end. The
// error is the context's.
func (s *shard) next(ctx context.Context) ([]item, error) {
	config := s.mapping.config
	var opened time.Time // when the first record of the batch was there
	for retry := 0; ; {
		if len(s.pending) > 0 && opened.IsZero() {
			opened = time.Now()
		}
		batch, full := s.cut()
		left := config.MaximumBatchingWindow - time.Since(opened)
		if full || s.iterator == nil || (len(batch) > 0 && left <= 0) {
			s.pending = s.pending[len(batch):]
			return batch, nil
		}
		read, err := s.read(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			retry++
			s.mapping.problem(err)
			if err := sleep(ctx, config.Backoff(retry)); err != nil {
				return nil, err
			}
			continue
		}
		retry = 0
		pause := config.PollInterval
		if len(batch) > 0 {
			pause = min(pause, left)
		}
		// The first records of a batch without window, and a full read, are not waited after.
		if read == s.readLimit() || (read > 0 && config.MaximumBatchingWindow == 0) {
			pause = 0
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// cut is the longest batch that begins with the pending records. full means that no further record could join it.
func (s *shard) cut() (batch []item, full bool) {
	size := emptyEvent
	for i, item := range s.pending {
		size += len(item.encoded) + 1
		if i == s.mapping.config.BatchSize || size > maxEvent {
			return s.pending[:i], true
		}
	}
	return s.pending, len(s.pending) == s.mapping.config.BatchSize
}

func (s *shard) readLimit() int { return max(s.mapping.config.BatchSize, 100) }

// read appends the next records to pending and returns their number.
func (s *shard) read(ctx context.Context) (int, error) {
	limit := int32(s.readLimit())
	page, err := s.mapping.config.Client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: s.iterator, Limit: &limit})
	if errors.As(err, new(*types.ExpiredIteratorException)) {
		return 0, s.seek(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("reading shard %s: %w", s.id, err)
	}
	for _, record := range page.Records {
		item, err := s.encode(record)
		if err != nil {
			return 0, err
		}
		s.pending = append(s.pending, item)
		s.last = item.sequence
	}
	s.iterator = page.NextShardIterator
	return len(page.Records), nil
}

// seek gets an iterator: after the last record read, or after the checkpoint, or at the starting position.
func (s *shard) seek(ctx context.Context) error {
	input := &kinesis.GetShardIteratorInput{StreamName: &s.mapping.config.Stream, ShardId: &s.id, ShardIteratorType: s.position}
	after := s.last
	if after == "" {
		checkpoint, err := s.mapping.config.Checkpoints.Load(s.id)
		if err != nil {
			return fmt.Errorf("loading the checkpoint of shard %s: %w", s.id, err)
		}
		after = checkpoint
	}
	switch {
	case after != "":
		input.ShardIteratorType, input.StartingSequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &after
	case s.position == types.ShardIteratorTypeLatest && s.latest.IsZero():
		s.latest = time.Now()
	case s.position == types.ShardIteratorTypeLatest:
		// The records since the first iterator, which expired unread.
		input.ShardIteratorType, input.Timestamp = types.ShardIteratorTypeAtTimestamp, &s.latest
	}
	position, err := s.mapping.config.Client.GetShardIterator(ctx, input)
	if err != nil {
		return fmt.Errorf("positioning in shard %s: %w", s.id, err)
	}
	s.iterator = position.ShardIterator
	return nil
}

// persist does something until it succeeds or the context ends.
func (s *shard) persist(ctx context.Context, do func() error) {
	for retry := 1; ; retry++ {
		err := do()
		if err == nil || ctx.Err() != nil {
			return
		}
		s.mapping.problem(err)
		if sleep(ctx, s.mapping.config.Backoff(retry)) != nil {
			return
		}
	}
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, duration time.Duration) error {
	if duration <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
