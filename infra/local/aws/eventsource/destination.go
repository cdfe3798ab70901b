package eventsource

import (
	"encoding/json"
	"fmt"
	"time"

	"recsys/shared/contract/lake"
)

// Condition is why records were discarded, in AWS's words.
type Condition string

// The conditions of a Kinesis source.
const (
	RetryAttemptsExhausted Condition = "RetryAttemptsExhausted"
	RecordAgeExceeded      Condition = "RecordAgeExceeded"
)

// Discarded is a batch for the failure destination. It marshals as AWS's invocation record does for an S3
// destination: metadata, and the whole event as a string under payload.
type Discarded struct {
	StreamARN, ShardID string
	Condition          Condition
	// Invocations is how often the batch was tried.
	Invocations int
	// At is when it was discarded.
	At time.Time

	batch []item
}

func (s *shard) discarded(batch []item, condition Condition, invocations int) Discarded {
	return Discarded{s.mapping.streamARN(), s.id, condition, invocations, s.mapping.config.Now(), batch}
}

// Records is how many records the batch has.
func (d Discarded) Records() int { return len(d.batch) }

// First and Last are the sequence numbers of its ends.
func (d Discarded) First() string { return d.batch[0].sequence }

// Last is the sequence number of the last record.
func (d Discarded) Last() string { return d.batch[len(d.batch)-1].sequence }

// Event is the function's event: an events.KinesisEvent.
func (d Discarded) Event() []byte { return event(d.batch) }

// Key is an object key of AWS's form for a mapping's S3 destination. It is the same whenever the same batch is
// discarded again.
func (d Discarded) Key() string {
	return fmt.Sprintf("%s%s/%s-%s.json", lake.FailedPrefix, d.ShardID, d.First(), d.Last())
}

// MarshalJSON writes the invocation record.
func (d Discarded) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"version": "1.0", "timestamp": d.At.UTC(),
		"requestContext": map[string]any{"condition": d.Condition, "approximateInvokeCount": d.Invocations},
		"KinesisBatchInfo": map[string]any{
			"streamArn": d.StreamARN, "shardId": d.ShardID, "batchSize": len(d.batch),
			"startSequenceNumber": d.First(), "endSequenceNumber": d.Last(),
			"approximateArrivalOfFirstRecord": d.batch[0].arrival.UTC(),
			"approximateArrivalOfLastRecord":  d.batch[len(d.batch)-1].arrival.UTC(),
		},
		"payload": string(d.Event()),
	})
}
