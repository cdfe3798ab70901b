// Command parent starts an emulator and one worker, prints the worker's process id, and waits to be killed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"recsys/infra/local/aws/lambda"
)

func main() {
	ctx := context.Background()
	emulator, err := lambda.Start(ctx, lambda.Config{Dir: os.Args[1]})
	if err == nil {
		err = emulator.Register(lambda.Function{Name: "f", Bootstrap: os.Args[2]})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answer, failed, err := emulator.Invoke(ctx, "f", nil)
	if failed != nil || err != nil {
		fmt.Fprintln(os.Stderr, failed, err)
		os.Exit(1)
	}
	var worker struct{ Pid int }
	if err := json.Unmarshal(answer, &worker); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(worker.Pid)
	select {}
}
