// Package kinesis is the local mode's Kinesis Data Streams: npm's kinesalite in a Node process of its own.
//
// Promise: the real wire protocol, for clients that name a stream by StreamName (kinesalite knows no
// StreamARN). The process ends with this one, however this one ends. Throughput limits are not enforced.
//
// Reads: the node_modules folder. Writes: Config.Path, a LevelDB, when given.
//
// Spec: https://docs.aws.amazon.com/kinesis/latest/APIReference/
package kinesis

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"recsys/infra/local/awscall"
)

//go:embed server.mjs
var program string

// Config of a server.
type Config struct {
	NodeModules string    // the folder node_modules, which holds kinesalite
	Path        string    // LevelDB folder; default "": in memory
	Port        int       // on 127.0.0.1; default 0: a free one
	Log         io.Writer // what the Node process prints when something is wrong; default os.Stderr
}

// Server is a running Kinesis.
type Server struct {
	url     string
	command *exec.Cmd
	stdin   io.Closer
	exited  chan struct{}
	close   sync.Once
}

// Start starts Node and waits until it listens; ctx bounds the start only.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.Log == nil {
		config.Log = os.Stderr
	}
	argument, err := json.Marshal(map[string]any{
		"modules": config.NodeModules, "path": config.Path, "port": config.Port, "createStreamMs": 1,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the local Kinesis: %w", err)
	}
	server := &Server{exited: make(chan struct{})}
	server.command = exec.Command("node", "--input-type=module", "--eval", program, string(argument))
	server.command.Env = append(os.Environ(), "AWS_REGION="+awscall.Region, "AWS_ACCOUNT_ID="+awscall.Account)
	server.command.Stderr = config.Log
	// In a group of its own a Ctrl-C in the terminal does not reach it: Close ends it, when its clients are done.
	server.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := server.start()
	if err != nil {
		return nil, fmt.Errorf("starting node (is Node.js 20 or newer installed?): %w", err)
	}
	port, err := listening(ctx, stdout)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the local Kinesis: %w", err), server.Close())
	}
	server.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	return server, nil
}

func (s *Server) start() (stdout io.ReadCloser, err error) {
	if s.stdin, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	// Not StdoutPipe: Wait closes that one before the line in it is read.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.command.Stdout = write
	err = s.command.Start()
	write.Close()
	if err != nil {
		read.Close()
		return nil, err
	}
	go func() {
		_ = s.command.Wait() // how it ended is for the log; that it ended is what callers see
		close(s.exited)
	}()
	return read, nil
}

// listening waits for the one line that the program prints.
func listening(ctx context.Context, stdout io.ReadCloser) (port int, err error) {
	lines := make(chan []byte, 1)
	go func() {
		defer stdout.Close()
		line, _ := bufio.NewReader(stdout).ReadBytes('\n')
		lines <- line
	}()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case line := <-lines:
		var said struct {
			Port  int
			Error string
		}
		if err := json.Unmarshal(line, &said); err != nil {
			return 0, errors.New("node ended before it listened; see its output")
		}
		if said.Error != "" {
			return 0, errors.New(said.Error)
		}
		return said.Port, nil
	}
}

// URL is what AWS_ENDPOINT_URL_KINESIS wants.
func (s *Server) URL() string { return s.url }

// Exited is closed when the Node process is gone.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// CreateStream makes a stream where there is none, of the local server or another, and waits until it is ACTIVE, for
// up to a minute.
func CreateStream(ctx context.Context, client *kinesis.Client, name string, shards int32) error {
	_, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards})
	if err != nil && !errors.As(err, new(*types.ResourceInUseException)) {
		return fmt.Errorf("creating the stream %s: %w", name, err)
	}
	waiter := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 5*time.Millisecond, time.Second
	})
	if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, time.Minute); err != nil {
		return fmt.Errorf("waiting for the stream %s: %w", name, err)
	}
	return nil
}

// Close ends the process and waits until it is gone.
func (s *Server) Close() error {
	s.close.Do(func() {
		s.stdin.Close() // tells it to end
		select {
		case <-s.exited:
		case <-time.After(5 * time.Second):
			_ = s.command.Process.Kill()
			<-s.exited
		}
	})
	return nil
}
