package platform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// supervised is a server that dies when the test says so, on a clock that only pauses move.
type supervised struct {
	*supervisor
	platform *Platform
	end      func() error

	clock    time.Time
	said     []string
	restarts int
	outcomes []error // of the restarts, in order, afterwards nil
}

func superviseForTest(outcomes ...error) *supervised {
	s := &supervised{clock: began, outcomes: outcomes}
	s.platform = &Platform{failed: make(chan error, 1), config: Config{Progress: func(line string) { s.said = append(s.said, line) }}}
	s.supervisor = s.platform.supervise("Kinesis", "kinesis.log")
	s.now = func() time.Time { return s.clock }
	s.pause = func(context.Context) { s.clock = s.clock.Add(restartPause) }
	s.end = s.watch(func(context.Context) error {
		s.restarts++
		if s.restarts <= len(s.outcomes) {
			return s.outcomes[s.restarts-1]
		}
		return nil
	}, func() error { return nil })
	return s
}

// crash is a death and the outcome of the restart.
func (s *supervised) crash() {
	s.died(errors.New("no space left on device"))
	s.working.Wait()
}

func TestADeadServerIsBroughtBackOrNamed(t *testing.T) {
	full := errors.New("the disk is full")
	t.Run("back at once", func(t *testing.T) {
		s := superviseForTest()
		s.crash()
		text := strings.Join(s.said, "\n")
		if s.restarts != 1 || len(s.platform.Failed()) != 0 || !strings.Contains(text, "kinesis.log: no space left") || !strings.Contains(text, "Kinesis is up again") {
			t.Errorf("%d restarts, said %s", s.restarts, text)
		}
	})
	t.Run("back when there is space", func(t *testing.T) {
		s := superviseForTest(full, full, full)
		s.crash()
		if s.restarts != 4 || len(s.platform.Failed()) != 0 {
			t.Errorf("%d restarts", s.restarts)
		}
	})
	t.Run("given up", func(t *testing.T) {
		var always []error
		for range 1000 {
			always = append(always, full)
		}
		s := superviseForTest(always...)
		s.crash()
		err := <-s.platform.Failed()
		if want := int(troubleLimit / restartPause); s.restarts != want || !errors.Is(err, full) || !strings.Contains(err.Error(), "Kinesis ended by itself") || !strings.Contains(err.Error(), "kinesis.log") {
			t.Errorf("%d restarts, want %d; %v", s.restarts, want, err)
		}
	})
	t.Run("dies again and again", func(t *testing.T) {
		s := superviseForTest()
		for range int(troubleLimit/restartPause) + 1 {
			s.crash()
		}
		if len(s.platform.Failed()) != 1 {
			t.Errorf("%d restarts in a row and still no word", s.restarts)
		}
	})
	t.Run("dies now and then", func(t *testing.T) {
		s := superviseForTest()
		for range 200 {
			s.crash()
			s.clock = s.clock.Add(2 * steadyAfter)
		}
		if s.restarts != 200 || len(s.platform.Failed()) != 0 {
			t.Errorf("%d restarts", s.restarts)
		}
	})
	t.Run("not after the platform's end", func(t *testing.T) {
		s := superviseForTest()
		if err := s.end(); err != nil {
			t.Fatal(err)
		}
		s.crash()
		if s.restarts != 0 || len(s.said) != 0 {
			t.Errorf("%d restarts, said %s", s.restarts, fmt.Sprint(s.said))
		}
	})
}
