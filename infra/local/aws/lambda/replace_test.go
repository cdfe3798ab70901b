package lambda_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/testbed"
)

func TestAReplacedFunctionLeavesNothingBehind(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	old := lambda.Function{Env: map[string]string{"GATE": gate}}
	b := setup(t, old)
	b.report(t)
	idle := b.Workers("f")
	done := make(chan error)
	go func() {
		_, _, err := b.Invoke(context.Background(), "f", []byte(`{"Do":"wait"}`))
		done <- err
	}()
	testbed.Eventually(t, "the worker waits at the gate", func() bool { waiting, _ := filepath.Glob(gate + ".waiting-*"); return len(waiting) == 1 })
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := b.Register(lambda.Function{Name: "f", Bootstrap: filepath.Join(bin, "function")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the replaced function did not finish: %v", err)
	}
	if workers := b.Workers("f"); len(workers) > 0 {
		t.Errorf("workers of the replaced function live on: %v, at first %v", workers, idle)
	}
	log, open := filepath.Join(b.dir, "logs", "f.log"), 0
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && target == log {
			open++
		}
	}
	if open != 1 {
		t.Errorf("its log is open %d times", open)
	}
}

func TestEveryCloseWaitsForTheWorkers(t *testing.T) {
	b := setup(t, lambda.Function{})
	pid := b.report(t).Pid
	var closing sync.WaitGroup
	for range 8 {
		closing.Go(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if workers := b.Workers("f"); len(workers) > 0 || running(pid) {
				t.Errorf("workers outlived Close: %v", workers)
			}
			// The last thing to go.
			if conn, err := net.Dial("tcp", strings.TrimPrefix(b.URL(), "http://")); err == nil {
				conn.Close()
				t.Error("it still listens")
			}
		})
	}
	closing.Wait()
}
