package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	quiet = time.Second     // a build that is shorter shows nothing
	again = 5 * time.Second // between two lines of progress
)

// build compiles the program to a path and shows the progress, if it takes long.
func build(path string, out io.Writer) error {
	command := goTool("build", "-v", "-o", path, program)
	output, err := command.StderrPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting the go command: %w", err)
	}
	packages, ended := make(chan string), make(chan struct{})
	go func() {
		defer close(ended)
		show(packages, began, out)
	}()
	split(output, packages, out)
	<-ended
	return command.Wait()
}

// split sends the packages that are compiled, and passes on other lines: downloads and errors.
func split(output io.Reader, packages chan<- string, out io.Writer) {
	defer close(packages)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if line := lines.Text(); strings.ContainsAny(line, " \t") {
			fmt.Fprintln(out, line)
		} else {
			packages <- line
		}
	}
}

// show tells how far the build is, until there are no more packages.
func show(packages <-chan string, began time.Time, out io.Writer) {
	next, total := time.After(quiet), make(chan int, 1)
	for done, all := 0, 0; ; {
		select {
		case _, more := <-packages:
			if !more {
				return
			}
			done++
		case all = <-total:
			all += done
		case <-next:
			if all == 0 {
				fmt.Fprintln(out, "Building the program. Only what has changed is compiled.")
				go func() { total <- missing() }()
			} else {
				fmt.Fprintln(out, progress(done, all, time.Since(began)))
			}
			next = time.After(again)
		}
	}
}

// missing counts the packages that are still to be compiled.
func missing() int {
	names, err := goTool("list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", program).Output()
	if err != nil {
		return 0 // the build says why
	}
	return len(bytes.Fields(names))
}

// progress is a line for a build at work. It takes packages to need about the same time each.
func progress(done, all int, past time.Duration) string {
	all = max(all, done)
	if done == 0 {
		return fmt.Sprintf("  … building: 0 of %d packages", all)
	}
	left := past * time.Duration(all-done) / time.Duration(done)
	return fmt.Sprintf("  … building: %d of %d packages, about %.0f s more", done, all, max(left.Seconds(), 1))
}
