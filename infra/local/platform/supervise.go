package platform

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// supervisor starts a server again, on the same port and data, when it has ended by itself.
type supervisor struct {
	name, log string // of the server. log is the file with its last words
	say       func(string)
	giveUp    func(error)
	pause     func(context.Context) // between attempts
	now       func() time.Time

	mu      sync.Mutex
	restart func(context.Context) error // from when the server is up
	ctx     context.Context             // ends with stop
	cancel  context.CancelFunc
	working sync.WaitGroup

	trouble   time.Time // since when it does not stay up
	restarted time.Time
}

const (
	// troubleLimit is how long a server may be down, or go down again and again, before serve ends.
	troubleLimit = 3 * time.Minute
	// steadyAfter is how long a server must stay up before its trouble counts as over.
	steadyAfter = time.Minute
	// restartPause is the time between two attempts.
	restartPause = 2 * time.Second
)

// supervise returns a supervisor for a server of this platform that is about to start.
func (p *Platform) supervise(name, log string) *supervisor {
	s := &supervisor{
		name: name, log: log, say: p.config.Progress, giveUp: p.fail, now: time.Now, pause: func(ctx context.Context) {
			select {
			case <-ctx.Done():
			case <-time.After(restartPause):
			}
		},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// watch begins the supervision of a server that is up. It returns the server's end, before which the supervision ends.
func (s *supervisor) watch(restart func(context.Context) error, end func() error) func() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restart = restart
	return func() error {
		s.mu.Lock()
		s.cancel()
		s.mu.Unlock()
		s.working.Wait()
		return end()
	}
}

// died is told how the server ended, and returns at once. One that dies before it is watched fails the start.
func (s *supervisor) died(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if restart := s.restart; restart != nil && s.ctx.Err() == nil {
		s.working.Go(func() { s.bringBack(restart, reason) })
	}
}

func (s *supervisor) bringBack(restart func(context.Context) error, reason error) {
	trouble := s.inTroubleSince()
	s.say(fmt.Sprintf("%s ended by itself and is started again, its log is %s: %v", s.name, s.log, reason))
	for {
		s.pause(s.ctx)
		if s.ctx.Err() != nil {
			return
		}
		if s.now().Sub(trouble) > troubleLimit {
			s.giveUp(fmt.Errorf("%s ended by itself and did not stay up for %v: see %s, check the disk's free space, and start again: %w",
				s.name, troubleLimit, s.log, reason))
			return
		}
		if reason = restart(s.ctx); reason == nil {
			s.mu.Lock()
			s.restarted = s.now()
			s.mu.Unlock()
			s.say(s.name + " is up again, on the same port and data")
			return
		}
	}
}

// inTroubleSince returns since when the server, which has just ended, does not stay up.
func (s *supervisor) inTroubleSince() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble.IsZero() || s.now().Sub(s.restarted) > steadyAfter {
		s.trouble = s.now()
	}
	return s.trouble
}

// fail remembers the first server that could not be brought back.
func (p *Platform) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

// Failed receives an error when a server has ended and could not be brought back.
func (p *Platform) Failed() <-chan error { return p.failed }
