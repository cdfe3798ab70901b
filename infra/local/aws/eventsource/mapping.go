// Package eventsource polls a Kinesis stream and invokes a function with its records, as Lambda's event source
// mapping does on AWS.
//
// It promises, for each shard, order and delivery at least once. A batch is invoked again until it is done, discarded
// after Config's limits, or handed to the failure destination. Only then the shard's checkpoint moves and the next
// batch is invoked. Shards are independent of each other. The children of a split or merged shard wait for their
// parents.
//
// It reads the stream through the Kinesis API and writes checkpoints.
//
// Spec: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
package eventsource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Client is the part of *kinesis.Client that polling needs.
type Client interface {
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput, ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error)
}

// Config of a mapping, under the names of AWS's CreateEventSourceMapping.
type Config struct {
	// Client, Stream and Invoke are required. An error from Invoke is the function's.
	Client Client
	Stream string
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
	// Checkpoints remember the finished records. Default: in memory only.
	Checkpoints Checkpoints

	// BatchSize is the most records of an invocation, 1 to 10,000 (default 100). An event never exceeds 6 MB either.
	BatchSize int
	// MaximumBatchingWindow is how long records are gathered before a batch that is not full is invoked (default 0).
	MaximumBatchingWindow time.Duration
	// StartingPosition of a shard without checkpoint: TRIM_HORIZON (default) or LATEST.
	StartingPosition types.ShardIteratorType
	// ReportBatchItemFailures makes the function's answer {"batchItemFailures":[{"itemIdentifier":"<sequence number>"}]}
	// count: everything before the lowest of the numbers is done.
	ReportBatchItemFailures bool
	// BisectBatchOnFunctionError halves a batch that failed whole. The halving is no retry.
	BisectBatchOnFunctionError bool
	// MaximumRetryAttempts after which a batch is discarded. Nil means never.
	MaximumRetryAttempts *int
	// MaximumRecordAge beyond which a record is discarded. 0 means never.
	MaximumRecordAge time.Duration
	// OnFailure is the destination of discarded records. An error is retried. Without it records are lost, as on AWS.
	OnFailure func(context.Context, Discarded) error

	// PollInterval between reads that bring fewer records than asked for. Default 200 ms, Kinesis's 5 reads a second.
	PollInterval time.Duration
	// Backoff before the n-th retry, n from 1. Default 250 ms, doubled up to 30 s.
	Backoff func(retry int) time.Duration
	// Now is the clock of MaximumRecordAge (default time.Now).
	Now func() time.Time
}

// Stats counts since the start.
type Stats struct {
	// Invocations of the function, and FunctionErrors among them that failed whole.
	Invocations, FunctionErrors int
	// Succeeded and Discarded are records that are done. Their sum is how far the mapping got.
	Succeeded, Discarded int
	// LastProcessingResult is OK, or PROBLEM with its text, of any shard.
	LastProcessingResult string
}

// Mapping is a running event source mapping.
type Mapping struct {
	config Config
	stop   context.CancelFunc
	shards sync.WaitGroup

	mu      sync.Mutex
	stats   Stats
	changed chan struct{}   // closed and replaced when stats change
	known   map[string]bool // shards: true once read to their end
}

// Start finds the shards and their positions, so that a record put after Start is seen from LATEST too, and polls
// until Close, or until ctx ends.
func Start(ctx context.Context, config Config) (*Mapping, error) {
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("starting the event source mapping: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	m := &Mapping{
		config: config, stop: stop, changed: make(chan struct{}), known: map[string]bool{},
		stats: Stats{LastProcessingResult: "OK"},
	}
	if err := m.discover(ctx, config.StartingPosition); err != nil {
		stop()
		m.shards.Wait()
		return nil, fmt.Errorf("starting the event source mapping of %s: %w", config.Stream, err)
	}
	return m, nil
}

// complete fills in defaults and reports every fault.
func (c *Config) complete() error {
	var faults []error
	if c.Client == nil || c.Stream == "" || c.Invoke == nil {
		faults = append(faults, errors.New("Client, Stream and Invoke are required"))
	}
	if c.BatchSize == 0 {
		c.BatchSize = 100
	}
	if c.BatchSize < 1 || c.BatchSize > 10_000 {
		faults = append(faults, fmt.Errorf("BatchSize %d: want 1 to 10,000", c.BatchSize))
	}
	if c.MaximumBatchingWindow < 0 || c.MaximumBatchingWindow > 300*time.Second {
		faults = append(faults, fmt.Errorf("MaximumBatchingWindow %v: want 0 to 300 s", c.MaximumBatchingWindow))
	}
	switch c.StartingPosition {
	case "":
		c.StartingPosition = types.ShardIteratorTypeTrimHorizon
	case types.ShardIteratorTypeTrimHorizon, types.ShardIteratorTypeLatest:
	default:
		faults = append(faults, fmt.Errorf("StartingPosition %s: want TRIM_HORIZON or LATEST", c.StartingPosition))
	}
	if c.Checkpoints == nil {
		c.Checkpoints = &memory{}
	}
	if c.PollInterval == 0 {
		c.PollInterval = 200 * time.Millisecond
	}
	if c.Backoff == nil {
		c.Backoff = func(retry int) time.Duration { return min(250*time.Millisecond<<min(retry-1, 7), 30*time.Second) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return errors.Join(faults...)
}

// Stats are the counts of now.
func (m *Mapping) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// Wait returns once the counts are as wanted, or with the context's cause.
func (m *Mapping) Wait(ctx context.Context, wanted func(Stats) bool) error {
	for {
		m.mu.Lock()
		stats, changed := m.stats, m.changed
		m.mu.Unlock()
		if wanted(stats) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the event source mapping of %s (%+v): %w", m.config.Stream, stats, context.Cause(ctx))
		}
	}
}

// Close stops polling and waits for the shards' goroutines. An invocation under way is abandoned, and made again
// from the checkpoint by the next start.
func (m *Mapping) Close() error {
	m.stop()
	m.shards.Wait()
	return nil
}

func (m *Mapping) count(change func(*Stats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.stats)
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *Mapping) problem(err error) {
	m.count(func(s *Stats) { s.LastProcessingResult = "PROBLEM: " + err.Error() })
}

// discover starts a goroutine for each new shard whose parents are read to their end.
func (m *Mapping) discover(ctx context.Context, position types.ShardIteratorType) error {
	shards, err := m.listShards(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	listed := map[string]bool{}
	for _, shard := range shards {
		listed[*shard.ShardId] = true
	}
	for _, description := range shards {
		id := *description.ShardId
		if _, started := m.known[id]; started || m.waits(description.ParentShardId, listed) || m.waits(description.AdjacentParentShardId, listed) {
			continue
		}
		s := &shard{mapping: m, id: id, position: position}
		if err := s.seek(ctx); err != nil {
			return err
		}
		m.known[id] = false
		m.shards.Go(func() { s.run(ctx) })
	}
	return nil
}

// waits reports whether a parent is still to be read. One that is not listed any more has expired with its records.
func (m *Mapping) waits(parent *string, listed map[string]bool) bool {
	return parent != nil && listed[*parent] && !m.known[*parent]
}

func (m *Mapping) listShards(ctx context.Context) ([]types.Shard, error) {
	var shards []types.Shard
	input := &kinesis.ListShardsInput{StreamName: &m.config.Stream}
	for {
		page, err := m.config.Client.ListShards(ctx, input)
		if err != nil {
			return nil, fmt.Errorf("listing shards: %w", err)
		}
		shards = append(shards, page.Shards...)
		if page.NextToken == nil {
			return shards, nil
		}
		input = &kinesis.ListShardsInput{NextToken: page.NextToken}
	}
}
