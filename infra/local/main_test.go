package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recsys/infra/local/platform"
)

func TestMistakesSayWhatToDo(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"frobnicate"}, `no command "frobnicate"`},
		{[]string{"run", "fast"}, "run takes no argument"},
		{[]string{"--input", "{"}, "--input is not JSON"},
		{[]string{"--speed"}, "flag provided but not defined"},
		{[]string{"put-records", "--state-dir", t.TempDir()}, "takes one file"},
	} {
		var out, errOut bytes.Buffer
		err := run(t.Context(), test.args, &out, &errOut)
		if !errors.Is(err, errUsage) || !strings.Contains(errOut.String(), test.want) {
			t.Errorf("%v: %v, printed %q", test.args, err, errOut.String())
		}
	}
}

func TestPathsAreCheckedBeforeAnythingStarts(t *testing.T) {
	state := t.TempDir()
	for _, args := range [][]string{
		{"--artifacts", filepath.Join(state, "nowhere"), "--state-dir", state},
		{"--events", filepath.Join(state, "nowhere"), "--state-dir", state},
		{"--source-sql", filepath.Join(state, "nowhere"), "--state-dir", state},
		{"put-records", filepath.Join(state, "nowhere"), "--state-dir", state},
	} {
		err := run(t.Context(), args, new(bytes.Buffer), new(bytes.Buffer))
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("%v: %v", args, err)
		}
		if entries, _ := os.ReadDir(state); len(entries) > 0 {
			t.Errorf("%v left %v", args, entries)
		}
	}
}

func TestResetDeletesStateAndNothingElse(t *testing.T) {
	state := t.TempDir()
	for _, name := range []string{"s3/recsys-lake/x", "mysql/data/y", "source.json", "cache/part/z", "notes.txt"} {
		path := filepath.Join(state, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	unlock, err := platform.Lock(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"reset", "--state-dir", state}, new(bytes.Buffer), new(bytes.Buffer)); !errors.Is(err, platform.ErrBusy) {
		t.Errorf("a reset while a platform lives: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"reset", "--state-dir", state}, new(bytes.Buffer), new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"s3": false, "mysql": false, "source.json": false, "cache/part/z": true, "notes.txt": true} {
		_, err := os.Stat(filepath.Join(state, name))
		if got := err == nil; got != want {
			t.Errorf("%s is there: %t, want %t", name, got, want)
		}
	}
}

func TestCounts(t *testing.T) {
	for _, test := range []struct{ input, output, want string }{
		{`{}`, `{"plan":{"run":"r","startedAt":"x","ranges":[1,2],"estimatedRows":2532}}`, "estimatedRows 2,532, ranges 2"},
		{`{"embeddings":{"upload":{"items":9}}}`, `{"embeddings":{"upload":{"items":9},"index":{"recall":0.987,"status":"activated"}}}`, "recall 0.987, status activated"},
		{`{"range":{"index":1}}`, `{"range":{"index":1},"extracted":{"ratings":0}}`, "ratings 0"},
		{`[]`, `3`, ""},
	} {
		if got := counts(json.RawMessage(test.output), json.RawMessage(test.input)); got != test.want {
			t.Errorf("counts(%s) = %q, want %q", test.output, got, test.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
}
