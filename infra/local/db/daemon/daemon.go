// Package daemon runs a server program as a child that never outlives this process, and never as root.
//
// The kernel signals the child when this process dies, also by SIGKILL (prctl(2), PR_SET_PDEATHSIG). A lock file,
// inherited by the child and its children, tells whether any of them still lives. It keeps two servers from one data
// directory, and makes a stale pid file harmless. As root the child runs as nobody, with the one capability that it
// needs to pass through closed folders. It reads everything and writes only files of nobody, so a server must let in
// no one but its user. Linux only.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Config is one server program.
type Config struct {
	Command []string // the program and its arguments
	Env     []string // added to this process's environment
	Log     string   // file to which the program's output is appended
	Lock    string   // lock file, held as long as the program or a child of it lives
	// Prepare, if any, is called under the lock before the program starts.
	Prepare func() error
	// DeathSignal is sent to the program when this process dies. Default: SIGKILL.
	DeathSignal syscall.Signal
}

// ErrLocked: a server that still lives, this process's or another's, holds the lock.
var ErrLocked = errors.New("another process uses it")

// Process is a running server.
type Process struct {
	config Config
	cmd    *exec.Cmd
	done   chan struct{}
	err    error

	stopped atomic.Bool // by Stop
}

// lockPatience is how long a server may take to die after its process, before its lock counts as held by a live one.
const lockPatience = 10 * time.Second

// Start starts the program. Cancelling ctx ends waiting for the lock only. Signal and Kill end the program.
func Start(ctx context.Context, config Config) (*Process, error) {
	if config.DeathSignal == 0 {
		config.DeathSignal = syscall.SIGKILL
	}
	lock, err := acquire(ctx, config.Lock, lockPatience)
	if err != nil {
		return nil, err
	}
	// The child has the lock from its start, so this process lets go of it here.
	defer lock.Close()
	if config.Prepare != nil {
		if err := config.Prepare(); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(config.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the server's log: %w", err)
	}
	defer log.Close()
	p := &Process{config: config, done: make(chan struct{})}
	p.cmd = command(context.Background(), config.Command)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), config.Env...)
	p.cmd.ExtraFiles = []*os.File{lock}
	p.cmd.SysProcAttr.Pdeathsig = config.DeathSignal
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(config.Command[0]), err)
	}
	return p, nil
}

// run stays on one thread as long as the program lives: the death signal is tied to the thread that starts
// the program, not to the process.
func (p *Process) run(started chan<- error) {
	lockThread()
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	p.err = p.cmd.Wait()
	close(p.done)
}

// Run runs a program to its end under the same user as a server, e.g. to make a data directory. It reads input and
// dies with this process. Its error holds the program's output.
func Run(ctx context.Context, env []string, input string, program ...string) error {
	cmd := command(ctx, program)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(input)
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	var printed []byte
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lockThread()
		printed, err = cmd.CombinedOutput()
	}()
	<-ended
	if err != nil {
		return fmt.Errorf("running %s: %w: %s", filepath.Base(program[0]), err, lastLines(string(printed)))
	}
	return nil
}

// lockThread gives the goroutine a thread of its own, which ends with it. As root its children keep their
// capabilities when they change their user, and access(2), with which PostgreSQL checks its own program, heeds
// them (capabilities(7), SECBIT_NO_SETUID_FIXUP). Where that is forbidden, open folders still work.
func lockThread() {
	runtime.LockOSThread()
	if _, _, other := owner(); other {
		const noSetuidFixup = 1 << 2
		_ = unix.Prctl(unix.PR_SET_SECUREBITS, noSetuidFixup, 0, 0, 0)
	}
}

// command puts the program out of the terminal's reach, because this process handles Ctrl-C. As root it puts it under
// the user nobody. CAP_DAC_READ_SEARCH lets nobody read and pass through closed folders, such as root's home. It is
// in force only after an exec. Hence the shell, which is open to all, in front of the program.
func command(ctx context.Context, program []string) *exec.Cmd {
	uid, gid, other := owner()
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if other {
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		attributes.AmbientCaps = []uintptr{unix.CAP_DAC_READ_SEARCH}
		program = append([]string{"/bin/sh", "-c", `exec "$0" "$@"`}, program...)
	}
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Dir = "/" // where every user may be
	cmd.SysProcAttr = attributes
	return cmd
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// OnDeath calls died, if not nil, when the program ends and nobody stopped it.
func (p *Process) OnDeath(died func(error)) {
	if died == nil {
		return
	}
	go func() {
		<-p.done
		if !p.stopped.Load() {
			died(p.Failure())
		}
	}()
}

// PID is the program's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Failure describes how the program ended, with the last lines of its log.
func (p *Process) Failure() error {
	<-p.done
	return fmt.Errorf("%s ended (%v): %s", filepath.Base(p.config.Command[0]), p.err, logTail(p.config.Log))
}

// Stop sends signal, and SIGKILL when the program has not ended in patience, and waits until it and all its
// children are gone. A program that has ended already is fine.
func (p *Process) Stop(signal syscall.Signal, patience time.Duration) error {
	p.stopped.Store(true)
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", filepath.Base(p.config.Command[0]), err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.done
	}
	lock, err := acquire(context.Background(), p.config.Lock, lockPatience)
	if err != nil {
		return fmt.Errorf("waiting for the children of %s: %w", filepath.Base(p.config.Command[0]), err)
	}
	return lock.Close()
}

// acquire takes the lock in path (flock(2)) and waits for it with patience.
func acquire(ctx context.Context, path string, patience time.Duration) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			file.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-deadline:
			file.Close()
			return nil, fmt.Errorf("%s: %w", filepath.Dir(path), ErrLocked)
		}
	}
}

func logTail(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	const tail = 4096
	if info, err := file.Stat(); err == nil && info.Size() > tail {
		file.Seek(-tail, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(file, tail))
	return lastLines(string(text))
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-6):], "\n")
}
