// Package node runs a JavaScript program of the local mode in a Node process that never outlives this one.
//
// Promise: the program ends when its standard input does, so the process ends with this one, however this one ends.
// A Ctrl-C in the terminal does not reach it, because it has a process group of its own.
package node

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// Config is one program.
type Config struct {
	Program   string    // the text of an ES module, which must end with its standard input
	Arguments []string  // process.argv from index 1
	Env       []string  // added to this process's environment
	Stderr    io.Writer // gets the program's complaints. An *os.File is handed over as it is
}

// Process is a running program.
type Process struct {
	Stdin  io.WriteCloser
	Stdout io.ReadCloser // ends with the program. The caller closes it

	command *exec.Cmd
	exited  chan struct{}
	stopped atomic.Bool // by this program
}

// Start starts Node, which must be on the PATH.
func Start(config Config) (*Process, error) {
	arguments := append([]string{"--input-type=module", "--eval", config.Program}, config.Arguments...)
	p := &Process{command: exec.Command("node", arguments...), exited: make(chan struct{})}
	p.command.Env = append(os.Environ(), config.Env...)
	p.command.Stderr = config.Stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if p.Stdin, err = p.command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting node: %w", err)
	}
	// Not StdoutPipe: Wait closes that one before its last lines are read.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting node: %w", err)
	}
	p.Stdout, p.command.Stdout = read, write
	err = p.command.Start()
	write.Close()
	if err != nil {
		read.Close()
		return nil, fmt.Errorf("starting node (is Node.js 20 or newer installed?): %w", err)
	}
	go func() {
		_ = p.command.Wait() // ProcessState tells how it ended
		close(p.exited)
	}()
	return p, nil
}

// Exited is closed when the program has ended and everything that it complained about is written.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// OnDeath calls died, if not nil, when the program ends and nobody stopped it.
func (p *Process) OnDeath(died func(error)) {
	if died == nil {
		return
	}
	go func() {
		<-p.exited
		if !p.stopped.Load() {
			died(fmt.Errorf("node ended (%v)", p.command.ProcessState))
		}
	}()
}

// stopPatience is how long a program may take to end by itself.
const stopPatience = 5 * time.Second

// Stop ends the program by its standard input, and by force if that takes too long. It returns when the program is gone.
func (p *Process) Stop() {
	p.stopped.Store(true)
	p.Stdin.Close()
	select {
	case <-p.exited:
	case <-time.After(stopPatience):
		p.Kill()
	}
}

// Kill ends the program as a crash does (SIGKILL), and returns when it is gone.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.exited
}
