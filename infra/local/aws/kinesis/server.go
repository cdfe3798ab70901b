// Package kinesis is the local mode's Kinesis Data Streams: npm's kinesalite in a Node process of its own.
//
// Promise: the real wire protocol, for clients that name a stream by StreamName (kinesalite knows no
// StreamARN). The process ends with this one, however this one ends. Throughput limits are not enforced.
//
// Reads: the node_modules folder. Writes: Config.Path, a LevelDB, and Config.Log, when given.
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
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/node"
)

//go:embed server.mjs
var program string

// Config of a server.
type Config struct {
	NodeModules string // the folder node_modules, which holds kinesalite
	Path        string // LevelDB folder (default "": in memory)
	Port        int    // on 127.0.0.1 (default 0: a free one)
	Log         string // file to which the Node process's output is appended (default "": os.Stderr)
	// Died is called when the process has ended and nobody closed it. Restart brings it back. Default: nothing.
	Died func(error)
}

// Server is a running Kinesis.
type Server struct {
	config Config

	mu      sync.Mutex // of a start and an end
	closed  bool
	process *node.Process
}

// Start starts Node and waits until it listens. ctx bounds the start only.
func Start(ctx context.Context, config Config) (*Server, error) {
	server := &Server{config: config}
	if err := server.start(ctx); err != nil {
		return nil, fmt.Errorf("starting the local Kinesis: %w", err)
	}
	return server, nil
}

// Restart starts the server on the same port and data, after its process has ended or while it runs.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("restarting the local Kinesis: it is closed")
	}
	s.process.Stop()
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("restarting the local Kinesis: %w", err)
	}
	return nil
}

func (s *Server) start(ctx context.Context) error {
	argument, err := json.Marshal(map[string]any{
		"modules": s.config.NodeModules, "path": s.config.Path, "port": s.config.Port, "createStreamMs": 1,
	})
	if err != nil {
		return err
	}
	log, err := s.openLog()
	if err != nil {
		return err
	}
	started, err := node.Start(node.Config{
		Program: program, Arguments: []string{string(argument)}, Stderr: log,
		Env: []string{"AWS_REGION=" + awscall.Region, "AWS_ACCOUNT_ID=" + awscall.Account},
	})
	if log != os.Stderr {
		log.Close() // the process has it
	}
	if err != nil {
		return err
	}
	port, err := listening(ctx, started.Stdout)
	if err != nil {
		started.Stop()
		return err
	}
	s.process, s.config.Port = started, port
	started.OnDeath(s.config.Died)
	return nil
}

func (s *Server) openLog() (*os.File, error) {
	if s.config.Log == "" {
		return os.Stderr, nil
	}
	return os.OpenFile(s.config.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
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
			return 0, errors.New("node ended before it listened: see its output")
		}
		if said.Error != "" {
			return 0, errors.New(said.Error)
		}
		return said.Port, nil
	}
}

// URL is the value for AWS_ENDPOINT_URL_KINESIS.
func (s *Server) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", s.config.Port) }

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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.process.Stop()
	return nil
}

// Kill ends the process as a crash does (SIGKILL), and waits until it is gone.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process.Kill()
}
