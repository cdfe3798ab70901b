package firehose

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
)

const segmentTime = "2006-01-02-15-04-05"

// stream buffers records in segments, files that become one object each. A segment's name is the end of
// its object's key, so that delivering it a second time changes nothing.
type stream struct {
	Stream
	dir     string
	objects Objects
	now     func() time.Time
	full    chan struct{} // receives when the open segment has reached BufferBytes

	delivering sync.Mutex // one delivery at a time: a segment goes out once

	mu     sync.Mutex
	open   *segment
	opened time.Time
	closed []string // paths of the segments to deliver, oldest first
	retry  time.Time
}

func openStream(settings Stream, dir string, objects Objects, now func() time.Time) (*stream, error) {
	if settings.Name == "" || strings.ContainsAny(settings.Name, `/\`) || strings.HasPrefix(settings.Name, ".") {
		return nil, fmt.Errorf("%q is no name of a delivery stream", settings.Name)
	}
	if settings.BufferBytes == 0 {
		settings.BufferBytes = 5 << 20
	}
	if settings.BufferInterval == 0 {
		settings.BufferInterval = 300 * time.Second
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	return &stream{Stream: settings, dir: dir, objects: objects, now: now, full: make(chan struct{}, 1), closed: left}, nil
}

// accept buffers records, all or none. When it returns they are in the file.
func (s *stream) accept(records [][]byte) error {
	if len(records) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.opened = s.now().UTC()
		open, err := newSegment(filepath.Join(s.dir, s.opened.Format(segmentTime)+"-"+uuid.NewString()))
		if err != nil {
			return fmt.Errorf("opening a buffer: %w", err)
		}
		s.open = open
	}
	if err := s.open.append(records); err != nil {
		return fmt.Errorf("buffering records: %w", err)
	}
	if s.open.size >= s.BufferBytes {
		select {
		case s.full <- struct{}{}:
		default:
		}
	}
	return nil
}

// due says whether the open segment is big or old enough, or segments that failed before are to be retried.
func (s *stream) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.closed) > 0 && !s.now().Before(s.retry) {
		return true
	}
	return s.open != nil && (s.open.size >= s.BufferBytes || s.now().Sub(s.opened) >= s.BufferInterval)
}

// deliver closes the open segment and puts all closed ones, in their order.
func (s *stream) deliver(ctx context.Context) error {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	segments, err := s.roll()
	if err != nil {
		return err
	}
	for _, path := range segments {
		if err := s.put(ctx, path); err != nil {
			s.mu.Lock()
			s.retry = s.now().Add(5 * time.Second)
			s.mu.Unlock()
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		s.mu.Lock()
		s.closed = s.closed[1:]
		s.mu.Unlock()
	}
	return nil
}

func (s *stream) roll() (closed []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		s.closed = append(s.closed, s.open.path())
		err = s.open.close()
		s.open = nil
	}
	return append([]string(nil), s.closed...), err
}

// put delivers one segment. A segment without a whole record, because its server was killed at its first, is nothing.
func (s *stream) put(ctx context.Context, path string) error {
	name := filepath.Base(path)
	if len(name) < len(segmentTime) {
		return fmt.Errorf("file %q among the buffers is none: remove it", name)
	}
	begun, err := time.Parse(segmentTime, name[:len(segmentTime)])
	if err != nil {
		return fmt.Errorf("file %q among the buffers is none: remove it", name)
	}
	var object bytes.Buffer
	zip := gzip.NewWriter(&object)
	records, err := copySegment(zip, path)
	if err = errors.Join(err, zip.Close()); err != nil || records == 0 {
		return err
	}
	key := s.Prefix + begun.Format("year=2006/month=01/day=02/hour=15/") + s.Name + "-1-" + name + ".gz"
	_, err = s.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(object.Bytes())})
	return err
}

// close leaves undelivered records for the next start.
func (s *stream) close() error {
	_, err := s.roll()
	return err
}
