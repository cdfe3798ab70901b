package awsconfig

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// patience returns how long an operation may make no progress. An attempt that makes none is given up, and the SDK tries
// again with backoff. A service that works answers within a second, or begins to.
func patience(operation string) time.Duration {
	switch operation {
	case "CopyObject", "DeleteObjects": // S3 first does all of the work: 5 GB, or 1,000 keys
		return time.Minute
	}
	return 10 * time.Second
}

// watch cancels an attempt that makes no progress: it does not connect, a body that is sent is not taken, no answer
// begins, or an answer stops in the middle. An attempt that makes progress may take as long as it likes, because
// objects may be big.
//
// The SDK's read timeout would not do. It bounds each read of a connection, and such a read waits as long as a big upload
// takes. It also ends connections that are idle between two calls.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	answers bool
}

func newWatch(parent context.Context, operation string, limit time.Duration) *watch {
	w := &watch{limit: limit}
	w.ctx, w.cancel = context.WithCancelCause(parent)
	w.timer = time.AfterFunc(limit, func() { w.cancel(stalled{operation, limit}) })
	return w
}

// sent notes that the service takes the request's body. After the answer has begun it does not matter any more.
func (w *watch) sent() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.answers {
		w.timer.Reset(w.limit)
	}
}

// answered notes that the answer has begun. From here on only reading it is watched.
func (w *watch) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = true
	w.timer.Stop()
}

func (w *watch) end() {
	w.answered()
	w.cancel(nil)
}

// explain returns the silence where that is why the attempt failed.
func (w *watch) explain(err error) error {
	if silence, ok := context.Cause(w.ctx).(stalled); ok {
		return silence
	}
	return err
}

// upload is a request's body. A further read of it shows that the server has taken the bytes before.
type upload struct {
	io.ReadCloser
	watch *watch
}

func (u upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	u.watch.sent()
	return n, err
}

// download is an answer's body. Its reader's own work between two reads is not the service's silence.
type download struct {
	io.ReadCloser
	watch *watch
}

func (d download) Read(p []byte) (int, error) {
	d.watch.timer.Reset(d.watch.limit)
	n, err := d.ReadCloser.Read(p)
	d.watch.timer.Stop()
	if err != nil && err != io.EOF {
		err = d.watch.explain(err)
	}
	return n, err
}

func (d download) Close() error {
	err := d.ReadCloser.Close()
	d.watch.end()
	return err
}

// stalled is an attempt that made no progress. The SDK tries it again, because it is a time-out.
type stalled struct {
	operation string
	limit     time.Duration
}

func (s stalled) Error() string {
	return fmt.Sprintf("%s made no progress for %v", s.operation, s.limit)
}
func (s stalled) Timeout() bool { return true }
