package lambda

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var errStopped = errors.New("the emulator is stopped")

// worker is one process of a function. It is idle, or works on one invocation.
type worker struct {
	function *function
	number   int
	tmp      string
	started  time.Time
	cmd      *exec.Cmd

	next   chan *invocation // taken by the process's pending GET …/invocation/next
	ready  chan struct{}    // closed by the process's first GET …/invocation/next
	exited chan struct{}    // closed when the process is gone. Then exit says how

	mu        sync.Mutex
	current   *invocation
	initError *InvocationError
	exit      string
}

// startWorker starts a process and does not wait for its initialisation.
func (e *Emulator) startWorker(f *function) (*worker, error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, errStopped
	}
	e.started++
	w := &worker{
		function: f, number: e.started, started: time.Now(),
		tmp:  filepath.Join(e.config.Dir, "tmp", fmt.Sprintf("%s-%d", f.Name, e.started)),
		next: make(chan *invocation), ready: make(chan struct{}), exited: make(chan struct{}),
	}
	e.mu.Unlock()

	if err := os.MkdirAll(w.tmp, 0o700); err != nil {
		return nil, fmt.Errorf("making the worker's temporary folder: %w", err)
	}
	output := &lineWriter{out: f.log}
	w.cmd = exec.Command(f.Bootstrap)
	w.cmd.Args = []string{"bootstrap"}
	w.cmd.Dir = filepath.Dir(f.Bootstrap)
	w.cmd.Env = f.environ(w, e.config, fmt.Sprintf("%s/worker/%d", e.address, w.number))
	w.cmd.Stdout, w.cmd.Stderr = output, output
	w.cmd.WaitDelay = time.Second
	// A group of its own keeps the terminal's Ctrl-C from the worker, so that the emulator can stop in order.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}

	// The lock is held over the start, so that Close sees every process that there is.
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		_ = os.RemoveAll(w.tmp)
		return nil, errStopped
	}
	if err := e.spawner.start(w.cmd); err != nil {
		_ = os.RemoveAll(w.tmp)
		return nil, err
	}
	e.workers[w.number] = w
	go e.reap(w, output)
	return w, nil
}

// reap waits for the process's end and tidies up after it.
func (e *Emulator) reap(w *worker, output *lineWriter) {
	err := w.cmd.Wait()
	output.flush()
	_ = os.RemoveAll(w.tmp)
	w.mu.Lock()
	w.exit = "Runtime exited without providing a reason"
	if err != nil {
		w.exit = "Runtime exited with error: " + err.Error()
	}
	w.mu.Unlock()
	e.mu.Lock()
	delete(e.workers, w.number)
	e.mu.Unlock()
	close(w.exited)
}

// sessionToken tells this process from every other in the requests that it signs.
func (w *worker) sessionToken() string { return fmt.Sprintf("%s/%d", w.function.Name, w.number) }

// kill ends the process and waits until it is gone.
func (w *worker) kill() {
	w.sampleMemory()
	_ = w.cmd.Process.Kill()
	<-w.exited
}

// alive reports whether the process still runs. A dead process that is not reaped yet does not.
func (w *worker) alive() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	// The state follows the name, which stands in parentheses: Z and X are dead.
	_, state, found := bytes.Cut(stat, []byte(") "))
	return err == nil && found && state[0] != 'Z' && state[0] != 'X'
}

// sampleMemory raises the function's peak to the process's VmHWM. (The kernel's ru_maxrss would not do: between
// fork and exec it counts this process's own memory.)
func (w *worker) sampleMemory() {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.cmd.Process.Pid))
	if err != nil {
		return
	}
	_, rest, found := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if !found || len(fields) == 0 {
		return
	}
	kibibytes, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return
	}
	for peak := &w.function.peak; ; {
		seen := peak.Load()
		if kibibytes<<10 <= seen || peak.CompareAndSwap(seen, kibibytes<<10) {
			return
		}
	}
}
