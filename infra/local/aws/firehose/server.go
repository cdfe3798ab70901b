// Package firehose is the local mode's Firehose: PutRecord and PutRecordBatch, delivered to S3, and the listing of streams.
//
// Promise: the limits are AWS's. An accepted record is delivered even if the server is killed. It is in the stream's
// buffer file before the answer goes out. The rest of a killed server is delivered after the next start, to the very
// key it was meant for, so nothing is there twice. As on AWS, records are concatenated as they came. A producer that
// wants lines sends newlines.
//
// Reads and writes: Config.Dir, a folder a stream. Objects go through Config.Objects to
// <prefix>year=2006/month=01/day=02/hour=15/<stream>-1-2006-01-02-15-04-05-<uuid>.gz, in UTC. The time is that of the
// object's first record. Written buffers are not synced: they survive the death of processes, not of the machine's
// power.
//
// Spec: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html and, for the
// limits, https://docs.aws.amazon.com/firehose/latest/dev/limits.html
package firehose

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/awsjson"
	"recsys/infra/local/aws/loopback"
)

// Objects stores deliveries. *s3.Client is one.
type Objects interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// Config of a server.
type Config struct {
	Dir     string // of the buffers, made when absent
	Objects Objects
	Streams []Stream
	Addr    string           // default "": loopback, a free port
	Hooks   awscall.Hooks    // default none
	Faults  Faults           // default none, see Server.SetFaults
	Now     func() time.Time // default time.Now
}

// Stream is a delivery stream with an S3 destination and GZIP.
type Stream struct {
	Name   string
	Bucket string
	Prefix string // before year=…, as on AWS ending in "/" if it is meant as a folder

	BufferBytes    int64         // deliver at this size (default 5 MiB, as on AWS)
	BufferInterval time.Duration // deliver at this age (default 300 s, as on AWS)
}

// Server is a running Firehose.
type Server struct {
	*loopback.Server
	streams map[string]*stream
	hooks   awscall.Point
	faults  faultPoint
	now     func() time.Time
	started time.Time

	stop context.CancelFunc // ends the deliveries by size and age
	done sync.WaitGroup
}

// Start opens the buffers with the rest of an earlier server, and serves until Close. ctx bounds the start only.
func Start(ctx context.Context, config Config) (*Server, error) {
	server := &Server{streams: map[string]*stream{}, now: config.Now}
	if server.now == nil {
		server.now = time.Now
	}
	server.started = server.now()
	server.hooks.Set(config.Hooks)
	server.SetFaults(config.Faults)
	for _, settings := range config.Streams {
		stream, err := openStream(settings, filepath.Join(config.Dir, settings.Name), config.Objects, server.now)
		if err != nil {
			return nil, fmt.Errorf("opening delivery stream %s: %w", settings.Name, err)
		}
		server.streams[settings.Name] = stream
	}
	var err error
	server.Server, err = loopback.Serve(ctx, config.Addr, &awsjson.Service{
		Name: "firehose", Target: "Firehose_20150804", MaxBytes: maxRequestBytes, Hooks: &server.hooks,
		Operations: map[string]awsjson.Operation{
			"PutRecord":              awsjson.Do(true, server.putRecord),
			"PutRecordBatch":         awsjson.Do(true, server.putRecordBatch),
			"ListDeliveryStreams":    awsjson.Do(false, server.listDeliveryStreams),
			"DescribeDeliveryStream": awsjson.Do(false, server.describeDeliveryStream),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the local Firehose: %w", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	server.stop = stop
	for _, stream := range server.streams {
		server.done.Go(func() { stream.deliverWhenDue(background) })
	}
	return server, nil
}

// SetHooks exchanges the hooks.
func (s *Server) SetHooks(hooks awscall.Hooks) { s.hooks.Set(hooks) }

// SetFaults exchanges the injected faults.
func (s *Server) SetFaults(faults Faults) { s.faults.Store(&faults) }

// Flush delivers all that was accepted before the call. Records that cannot be delivered stay and are tried again.
func (s *Server) Flush(ctx context.Context) error {
	var errs []error
	for _, stream := range s.streams {
		if err := stream.deliver(ctx); err != nil {
			errs = append(errs, fmt.Errorf("delivering stream %s: %w", stream.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Close stops accepting and delivers the buffers, for up to 30 seconds. After an error they are delivered after the
// next start.
func (s *Server) Close() error {
	err := s.Server.Close()
	s.stop()
	s.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err = errors.Join(err, s.Flush(ctx))
	for _, stream := range s.streams {
		err = errors.Join(err, stream.close())
	}
	return err
}

// deliverWhenDue looks once a second, or when the buffer is full, whether something is to be delivered.
func (s *stream) deliverWhenDue(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.full:
		}
		if !s.due() {
			continue
		}
		if err := s.deliver(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "delivery failed, will be tried again", "stream", s.Name, "error", err)
		}
	}
}
