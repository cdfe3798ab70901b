package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Lifecycle is a database server on one data directory: how it starts, ends, and starts again on the same port. Without
// Command the server belongs to somebody else. Then Stop leaves it alone, and the others refuse.
type Lifecycle struct {
	Name     string // for errors, such as PostgreSQL
	Variable string // that names a server of somebody else

	Dir        string // holds data, log and lock. Default: a temporary folder that Stop removes
	Temporary  bool
	Disposable bool // the data need not outlive the machine's power
	Port       int  // of the loopback interface. Default: a free one
	Died       func(error)

	// Command is the program on a port. Its Log and Lock are filled in.
	Command func(ctx context.Context, port int) Config
	// Answers asks the program that was started. It is asked until it says nil, or Hopeless.
	Answers func(ctx context.Context, port int) error
	// Pausing is the signal that ends the program as Pause wants it.
	Pausing syscall.Signal

	process *Process
}

// Hopeless is an error after which a server need not be asked again.
type Hopeless struct{ Err error }

func (h Hopeless) Error() string { return h.Err.Error() }
func (h Hopeless) Unwrap() error { return h.Err }

const (
	// startPatience bounds the time a server takes to answer, recovery after a kill included.
	startPatience = 60 * time.Second
	stopPatience  = 20 * time.Second
	// portAttempts are for the case that another program takes the free port first.
	portAttempts = 5
)

// Data is the data directory.
func (l *Lifecycle) Data() string { return filepath.Join(l.Dir, "data") }

// MakeDir makes Dir, or a temporary folder.
func (l *Lifecycle) MakeDir(pattern string) error {
	if l.Dir == "" {
		dir, err := TempDir(pattern)
		if err != nil {
			return fmt.Errorf("making a temporary folder: %w", err)
		}
		l.Dir, l.Temporary, l.Disposable = dir, true, true
	}
	if err := os.MkdirAll(l.Dir, 0o755); err != nil {
		return fmt.Errorf("making the server's folder: %w", err)
	}
	return nil
}

// MakeData makes the data directory, unless it is there, as a copy of a template.
func (l *Lifecycle) MakeData(template func() (string, error)) error {
	if _, err := os.Stat(l.Data()); err == nil {
		return Own(l.Data())
	}
	from, err := template()
	if err != nil {
		return err
	}
	return CopyOwned(from, l.Data())
}

// Start starts the program and waits until it answers. On a port of its own choice it tries several.
func (l *Lifecycle) Start(ctx context.Context) error {
	if err := l.own(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if l.Port != 0 {
		return l.startOn(ctx, l.Port)
	}
	var err error
	for range portAttempts {
		var port int
		if port, err = FreePort(); err != nil {
			return err
		}
		if err = l.startOn(ctx, port); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (l *Lifecycle) startOn(ctx context.Context, port int) error {
	config := l.Command(ctx, port)
	config.Log, config.Lock = filepath.Join(l.Dir, "server.log"), filepath.Join(l.Dir, "lock")
	process, err := Start(ctx, config)
	if err != nil {
		return err
	}
	l.process = process
	if err := l.waitUntilUp(ctx, port); err != nil {
		return errors.Join(err, l.Kill())
	}
	l.Port = port
	process.OnDeath(l.Died)
	return nil
}

// waitUntilUp asks the server until it answers. Where another program has taken the port, that program may accept the
// question and stay silent. Hence the end of the server ends the question.
func (l *Lifecycle) waitUntilUp(ctx context.Context, port int) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := l.process.Done()
	go func() {
		select {
		case <-ended:
			cancel()
		case <-asking.Done():
		}
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := l.Answers(asking, port)
		if err == nil || errors.As(err, new(Hopeless)) {
			return err
		}
		select {
		case <-tick.C:
		case <-ended:
			return l.process.Failure()
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// Stop shuts the server down, disconnecting its clients, and removes a temporary folder.
func (l *Lifecycle) Stop() error {
	if l.Command == nil {
		return nil
	}
	err := l.Pause()
	if l.Temporary {
		err = errors.Join(err, os.RemoveAll(l.Dir))
	}
	return err
}

// Pause is Stop that keeps the data and the port, for Restart.
func (l *Lifecycle) Pause() error { return l.end(l.Pausing) }

// Kill ends the server as a crash does (SIGKILL). Restart recovers it.
func (l *Lifecycle) Kill() error { return l.end(syscall.SIGKILL) }

func (l *Lifecycle) end(signal syscall.Signal) error {
	if err := l.own(); err != nil {
		return err
	}
	if l.process == nil {
		return nil
	}
	err := l.process.Stop(signal, stopPatience)
	l.process = nil
	return err
}

// own refuses a server of somebody else.
func (l *Lifecycle) own() error {
	if l.Command == nil {
		return fmt.Errorf("the %s of %s is not this program's to start or stop", l.Name, l.Variable)
	}
	return nil
}

// Restart starts the server again on the same port and data, after it stopped, was killed, or still runs.
func (l *Lifecycle) Restart(ctx context.Context) error {
	if err := l.Pause(); err != nil {
		return fmt.Errorf("restarting %s: %w", l.Name, err)
	}
	if err := l.Start(ctx); err != nil {
		return fmt.Errorf("restarting %s: %w", l.Name, err)
	}
	return nil
}
