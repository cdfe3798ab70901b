package daemon_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"recsys/infra/local/db/daemon"
)

// A stranger that took the port accepts a question and stays silent, as a web server does.
func TestAServerWhosePortWasTakenTriesOthers(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	attempts := 0
	server := daemon.Lifecycle{
		Name: "PostgreSQL", Variable: "DATABASE_URL", Dir: t.TempDir(), Pausing: syscall.SIGKILL,
		Command: func(context.Context, int) daemon.Config {
			attempts++
			return daemon.Config{Command: []string{"/bin/sh", "-c", "echo address already in use; exit 1"}}
		},
		Answers: func(ctx context.Context, _ int) error {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", stranger.Addr().String())
			if err != nil {
				return err
			}
			context.AfterFunc(ctx, func() { conn.Close() })
			_, err = bufio.NewReader(conn).ReadByte()
			return err
		},
	}
	if err := os.MkdirAll(server.Data(), 0o755); err != nil {
		t.Fatal(err)
	}
	err = server.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "address already in use") || strings.Contains(err.Error(), "does not answer") {
		t.Errorf("the error is %v", err)
	}
	if attempts < 2 {
		t.Errorf("%d attempts", attempts)
	}
}

func TestFreePortsAreNotThoseThatTheKernelHandsOut(t *testing.T) {
	handedOut, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer handedOut.Close()
	for range 20 {
		port, err := daemon.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if low := handedOut.Addr().(*net.TCPAddr).Port; port >= 32768 && low >= 32768 {
			t.Errorf("port %d lies where the kernel takes %d from", port, low)
		}
	}
}
