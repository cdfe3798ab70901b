package eventsource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
)

// deliver invokes the function with a batch until every record of it is done or discarded. The error is the
// context's.
func (s *shard) deliver(ctx context.Context, batch []item) error {
	config := s.mapping.config
	for retry := 0; ; {
		batch = s.dropOld(ctx, batch, retry)
		if len(batch) == 0 {
			return ctx.Err()
		}
		done, failed := s.invoke(ctx, batch)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if done > 0 {
			s.done(batch[:done], "OK")
			s.mapping.count(func(stats *Stats) { stats.Succeeded += done })
			batch = batch[done:]
			retry = 0 // progress: the rest has not been tried in vain yet
		}
		if len(batch) == 0 {
			return nil
		}
		if failed != nil {
			s.mapping.problem(failed)
			if half := len(batch) / 2; config.BisectBatchOnFunctionError && half > 0 {
				if err := s.deliver(ctx, batch[:half]); err != nil {
					return err
				}
				return s.deliver(ctx, batch[half:])
			}
		}
		if limit := config.MaximumRetryAttempts; limit != nil && retry >= *limit {
			s.discard(ctx, batch, RetryAttemptsExhausted, retry+1)
			return ctx.Err()
		}
		retry++
		if err := sleep(ctx, config.Backoff(retry)); err != nil {
			return err
		}
	}
}

// invoke returns how many records from the start of the batch are done, and the error of a batch that failed whole.
func (s *shard) invoke(ctx context.Context, batch []item) (done int, failed error) {
	config := s.mapping.config
	answer, err := config.Invoke(ctx, event(batch))
	if err == nil {
		done, err = len(batch), nil
		if config.ReportBatchItemFailures {
			done, err = firstFailure(answer, batch)
		}
	}
	if ctx.Err() != nil {
		return 0, nil // an invocation that was abandoned says nothing about the function
	}
	s.mapping.count(func(stats *Stats) {
		stats.Invocations++
		if err != nil {
			stats.FunctionErrors++
		}
	})
	return done, err
}

// firstFailure is the index of the first record that the answer reports as failed, or the batch's length. An empty
// answer or null reports none. A sequence number of another batch fails all of it.
func firstFailure(answer []byte, batch []item) (int, error) {
	answer = bytes.TrimSpace(answer)
	if len(answer) == 0 {
		return len(batch), nil
	}
	var response events.KinesisEventResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		return 0, fmt.Errorf("reading the function's batchItemFailures: %w", err)
	}
	index := make(map[string]int, len(batch))
	for i, item := range batch {
		index[item.sequence] = i
	}
	first := len(batch)
	for _, failure := range response.BatchItemFailures {
		i, known := index[failure.ItemIdentifier]
		if !known {
			return 0, fmt.Errorf("the function reports the failed item %q, which is not in the batch", failure.ItemIdentifier)
		}
		first = min(first, i)
	}
	return first, nil
}

// dropOld discards the records at the start of the batch that are older than allowed.
func (s *shard) dropOld(ctx context.Context, batch []item, retry int) []item {
	limit := s.mapping.config.MaximumRecordAge
	if limit == 0 {
		return batch
	}
	oldest := s.mapping.config.Now().Add(-limit)
	old := 0
	for old < len(batch) && batch[old].arrival.Before(oldest) {
		old++
	}
	if old > 0 {
		s.discard(ctx, batch[:old], RecordAgeExceeded, retry)
	}
	return batch[old:]
}

// discard hands records to the failure destination, until it has taken them, and counts them as done.
func (s *shard) discard(ctx context.Context, batch []item, condition Condition, invocations int) {
	config := s.mapping.config
	if config.OnFailure != nil {
		discarded := s.discarded(batch, condition, invocations)
		s.persist(ctx, func() error {
			if err := config.OnFailure(ctx, discarded); err != nil {
				return fmt.Errorf("handing %d records to the failure destination: %w", len(batch), err)
			}
			return nil
		})
	}
	if ctx.Err() != nil {
		return
	}
	s.done(batch, fmt.Sprintf("PROBLEM: %s: %d records discarded", condition, len(batch)))
	s.mapping.count(func(stats *Stats) { stats.Discarded += len(batch) })
}

// done moves the checkpoint. When that fails, records will be delivered again at worst.
func (s *shard) done(batch []item, result string) {
	if err := s.mapping.config.Checkpoints.Save(s.id, batch[len(batch)-1].sequence); err != nil {
		s.mapping.problem(fmt.Errorf("saving the checkpoint of shard %s: %w", s.id, err))
		return
	}
	s.mapping.count(func(stats *Stats) { stats.LastProcessingResult = result })
}
