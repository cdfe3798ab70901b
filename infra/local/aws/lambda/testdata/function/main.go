// Command function is the Lambda function of the emulator's tests. Its event tells it its behaviour.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Event names the behaviour.
type Event struct {
	Do    string
	Bytes int
}

// Named is an error whose type name goes out.
type Named struct{ error }

var invocations int

func main() {
	if os.Getenv("INIT") == "exit" {
		fmt.Fprintln(os.Stderr, "no way to start")
		os.Exit(3)
	}
	if file := os.Getenv("PID_FILE"); file != "" {
		if err := os.WriteFile(file, fmt.Append(nil, os.Getpid()), 0o600); err != nil {
			panic(err)
		}
	}
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	lambda.Start(handle)
}

func handle(ctx context.Context, event Event) (any, error) {
	invocations++
	switch event.Do {
	case "fail":
		return nil, Named{errors.New("on purpose")}
	case "panic":
		panic("on purpose")
	case "exit":
		os.Exit(7)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "hang":
		select {}
	case "wait":
		// Waits for the named file: the test lets concurrent invocations go on by making it.
		for path := os.Getenv("GATE"); ; {
			if _, err := os.Stat(path); err == nil {
				break
			}
			if err := os.WriteFile(path+".waiting-"+fmt.Sprint(os.Getpid()), nil, 0o600); err != nil {
				return nil, err
			}
			time.Sleep(time.Millisecond)
		}
	case "large":
		return strings.Repeat("x", event.Bytes), nil
	case "allocate":
		block := make([]byte, event.Bytes)
		for i := range block {
			block[i] = byte(i)
		}
		return len(block), nil
	case "log":
		slog.InfoContext(ctx, "a line")
		fmt.Println(strings.Repeat("y", event.Bytes))
		fmt.Print("no end of line")
		return nil, nil
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	directory, _ := os.Getwd()
	return map[string]any{
		"pid": os.Getpid(), "invocations": invocations, "environ": os.Environ(), "tmp": os.TempDir(), "directory": directory,
		"request": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "deadline": deadline,
	}, nil
}
