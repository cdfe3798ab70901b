package lambda_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"recsys/infra/local/lambda"
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
	eventually(t, func() bool { waiting, _ := filepath.Glob(gate + ".waiting-*"); return len(waiting) == 1 })
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

// The end of the context closes it as well, at the same time.
func TestEveryCloseWaitsForTheWorkers(t *testing.T) {
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		emulator, err := lambda.Start(ctx, lambda.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		b := bundle{Emulator: emulator}
		if err := b.Register(lambda.Function{Name: "f", Bootstrap: filepath.Join(bin, "function")}); err != nil {
			t.Fatal(err)
		}
		pid := b.report(t).Pid
		first := make(chan error)
		go func() { first <- b.Close() }()
		cancel()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if running(pid) {
			t.Error("a worker outlived Close")
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	}
}
