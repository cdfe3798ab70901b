package lambda

import (
	"os/exec"
	"runtime"
)

// spawner starts every process from one operating system thread that lives as long as the emulator.
//
// The kernel's parent-death signal (Pdeathsig) fires when the thread that forked ends, not the process. From an
// ordinary goroutine a worker could be killed at any time, when Go retires a thread.
type spawner struct {
	requests chan spawnRequest
}

type spawnRequest struct {
	cmd *exec.Cmd
	err chan error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest)}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for request := range s.requests {
			request.err <- request.cmd.Start()
		}
	}()
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	request := spawnRequest{cmd, make(chan error, 1)}
	s.requests <- request
	return <-request.err
}

// stop ends the thread. Nothing may be started afterwards.
func (s *spawner) stop() { close(s.requests) }
