package lambda

import (
	"bytes"
	"io"
	"sync"
)

// maxLogLine is the most bytes of one line that are kept: the size of an event in CloudWatch Logs.
const maxLogLine = 256 << 10

// lineWriter passes whole lines on, each with one Write, so that the lines of concurrent workers never mix. The rest
// of a line beyond maxLogLine is dropped.
type lineWriter struct {
	mu   sync.Mutex
	out  io.Writer
	line []byte
}

// Write never fails: a full disk must not look to a function like a broken pipe.
func (w *lineWriter) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	written := len(data)
	for len(data) > 0 {
		part, rest, complete := bytes.Cut(data, []byte{'\n'})
		w.line = append(w.line, part[:min(len(part), maxLogLine-len(w.line))]...)
		if complete {
			w.emit()
		}
		data = rest
	}
	return written, nil
}

// flush passes on an unfinished line.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) > 0 {
		w.emit()
	}
}

func (w *lineWriter) emit() {
	_, _ = w.out.Write(append(w.line, '\n'))
	w.line = w.line[:0]
}
