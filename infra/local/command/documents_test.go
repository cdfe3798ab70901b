package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a fenced block of a document.
type block struct {
	path  string
	info  string   // the words behind the fence
	lines []string // without the indent
	after string   // the two lines below
}

const repository = "../../.."

func TestCommandsOfTheDocumentsAreTagged(t *testing.T) {
	seen := map[string]int{}
	for _, b := range blocks(t) {
		shell, tag, _ := strings.Cut(b.info, " ")
		switch {
		case shell == "" && slices.ContainsFunc(b.lines, isCommand):
			t.Errorf("%s: the block of %q has no tag: see CONTRIBUTING.md", b.path, b.lines[0])
		case shell != "sh":
			continue
		case tag == "manual" && !tried.MatchString(b.after):
			t.Errorf("%s: %q was tried on which date? Say it below: Tried on 2026-12-01", b.path, b.lines[0])
		case tag != "local" && tag != "aws" && tag != "parsed" && tag != "tested" && tag != "manual":
			t.Errorf("%s: the block of %q has the tag %q: see CONTRIBUTING.md", b.path, b.lines[0], tag)
		}
		seen[tag]++
		parsed(t, b)
	}
	for _, tag := range []string{"local", "aws", "parsed", "manual"} {
		if seen[tag] == 0 {
			t.Errorf("no block has the tag %s", tag)
		}
	}
}

var (
	tried   = regexp.MustCompile(`Tried on \d{4}-\d\d-\d\d`)
	command = regexp.MustCompile(`^(go|npx|npm|aws|docker|git|sudo|cat|export|mkdir) `)
	folder  = regexp.MustCompile(` \./(\w[\w/-]*)( |$)`) // of Go's packages
	option  = regexp.MustCompile(` -c (\w+)=`)
)

func isCommand(line string) bool { return command.MatchString(line) }

// parsed checks a block as far as that is possible without running it.
func parsed(t *testing.T, b block) {
	t.Helper()
	check := exec.CommandContext(t.Context(), "bash", "-n")
	check.Stdin = strings.NewReader(strings.Join(b.lines, "\n"))
	if output, err := check.CombinedOutput(); err != nil {
		t.Errorf("%s: bash does not understand %q: %v\n%s", b.path, b.lines, err, output)
	}
	documented, err := os.ReadFile(filepath.Join(repository, "docs", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range b.lines {
		for _, found := range folder.FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(repository, found[1])); err != nil {
				t.Errorf("%s: %v", b.path, err)
			}
		}
		for _, found := range option.FindAllStringSubmatch(line, -1) {
			if found[1] != "env" && !strings.Contains(string(documented), "`"+found[1]+"`") && !strings.Contains(string(documented), "`"+found[1]+"=") {
				t.Errorf("%s: docs/aws.md has no option %s", b.path, found[1])
			}
		}
		if _, call, found := strings.Cut(line, "go run ./infra/local "); found {
			flagsAreKnown(t, b.path, call)
		} else if strings.HasSuffix(line, "go run ./infra/local") {
			flagsAreKnown(t, b.path, "run")
		}
	}
}

// flagsAreKnown parses a call as the program does. Commands that parse for themselves are left out.
func flagsAreKnown(t *testing.T, path, call string) {
	t.Helper()
	words, err := exec.CommandContext(t.Context(), "bash", "-c", "set -- "+call+"\nprintf '%s\\n' \"$@\"").Output()
	if err != nil {
		t.Errorf("%s: %s: %v", path, call, err)
		return
	}
	args := strings.Fields(string(words))
	name := "run"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	if name == "doctor" || name == "generate" || name == "help" {
		return
	}
	if commands[name] == nil {
		t.Errorf("%s: there is no command %s", path, name)
		return
	}
	var said strings.Builder
	if _, err := parse(name, args, io.Discard, &said); err != nil {
		t.Errorf("%s: %s: %v, %s", path, call, err, said.String())
	}
}

// blocks returns the fenced blocks of all documents that git lists.
func blocks(t *testing.T) (found []block) {
	t.Helper()
	listed, err := exec.CommandContext(t.Context(), "git", "-C", repository, "ls-files", "*.md").Output()
	if err != nil {
		t.Skipf("the documents are those that git lists: %v", err)
	}
	for _, path := range strings.Fields(string(listed)) {
		content, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(content), "\n")
		for i := 0; i < len(lines); i++ {
			info, opens := strings.CutPrefix(strings.TrimSpace(lines[i]), "```")
			if !opens {
				continue
			}
			b := block{path: path, info: info}
			for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
				b.lines = append(b.lines, strings.TrimSpace(lines[i]))
			}
			b.after = strings.Join(lines[min(i, len(lines)):min(i+3, len(lines))], "\n")
			found = append(found, b)
		}
	}
	return found
}
