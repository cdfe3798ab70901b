package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/platform"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/provisiontest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/stream/activity"
)

var update = flag.Bool("update", false, "write docs/img/evaluation.svg again")

func TestMistakesComeWithAdvice(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"frobnicate"}, `no command "frobnicate"`},
		{[]string{"run", "fast"}, "run takes no argument"},
		{[]string{"--input", "{"}, "must be a JSON object"},
		{[]string{"--input", "[]"}, "must be a JSON object"},
		{[]string{"start", "--input", `{"rolback":true}`}, `has the key "rolback"`},
		{[]string{"reset", "--state-dir", ""}, "--state-dir is empty"},
		{[]string{"--sped"}, "see go run ./infra/local --help"},
		{[]string{"--speed"}, "flag provided but not defined"},
		{[]string{"put-records", "--state-dir", t.TempDir()}, "takes one file"},
		{[]string{"put-records", "FILE", "--artifacts", "."}, "flag provided but not defined"},
		{[]string{"invoke"}, "invoke takes a step"},
		{[]string{"invoke", "extract", "a.json", "b.json"}, "invoke takes a step"},
		{[]string{"invoke", "load-sample-shop"}, "want one of plan-extract, extract, "},
		{[]string{"invoke", "extract", "--input", "{}"}, "flag provided but not defined"},
		{[]string{"start", "--events", "FILE"}, "flag provided but not defined"},
		{[]string{"reset", "--input", "{}"}, "flag provided but not defined"},
		{[]string{"-c", "limit"}, "want NAME=VALUE"},
		{[]string{"-c", "limit=0", "-c", "sessionWeight=0.5"}, "limit is 0: want 1 to 100"},
		{[]string{"put-records", "FILE", "-c", "limits=3"}, "limits is no option: want one of apiCustomerClaim,"},
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
		{"--shop", filepath.Join(state, "nowhere"), "--state-dir", state},
		{"put-records", filepath.Join(state, "nowhere"), "--state-dir", state},
		{"invoke", "extract", filepath.Join(state, "nowhere"), "--state-dir", state},
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

func TestAFolderIsNoFile(t *testing.T) {
	for _, args := range [][]string{{"put-records", "."}, {"--source-sql", "."}, {"--events", "."}} {
		err := run(t.Context(), append(args, "--state-dir", t.TempDir()), new(bytes.Buffer), new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), ". is a folder") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestResetDeletesStateAndNothingElse(t *testing.T) {
	state := t.TempDir()
	if err := run(t.Context(), []string{"reset", "--state-dir", "."}, new(bytes.Buffer), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "not made by this program") {
		t.Errorf("a reset of this program's source: %v", err)
	}
	if _, err := os.Stat("main.go"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"recsys-state.txt", "s3/recsys-lake/x", "mysql/data/y", "source.json", "cache/part/z", "notes.txt"} {
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

func TestSummaryOfTheAnswers(t *testing.T) {
	answered := func(strategy activity.Strategy) (a platform.Answer) {
		a.Recommendation.Strategy = strategy
		return a
	}
	o := options{stateDir: t.TempDir()}
	var out bytes.Buffer
	mixed := []platform.Answer{{Rejected: "not JSON at byte 7"}, answered("model"), {Rejected: "not JSON at byte 9"}, {Rejected: "not UTF-8"}}
	if err := o.answers(newConsole(&out), published{shop: shape.Lab}, mixed, nil, 0); err != nil {
		t.Error(err)
	}
	if text := out.String(); !strings.Contains(text, "3 rejected (2 not JSON, 1 not UTF-8): ") || !strings.Contains(text, "1 answers after 0.0 s: 1 model") {
		t.Errorf("printed %s", text)
	}
	out.Reset()
	if err := o.answers(newConsole(&out), published{shop: shape.Lab}, mixed[:1], nil, 0); err == nil || strings.Contains(out.String(), "customer") {
		t.Errorf("all are rejected: %v, printed %s", err, out.String())
	}
}

// A run of a shop with a file tells how much it has, and what was left out. The lab's output stays as it was.
func TestContentsOfASnapshot(t *testing.T) {
	newest := time.Date(2006, 2, 14, 15, 16, 3, 0, time.UTC)
	films := shape.Shop{Name: "sakila", Source: shape.Source{Interactions: []shape.Query{{Name: "rentals"}}}}
	manifest := lake.Manifest{Shop: &films, Customers: 599, Products: 1000, Kinds: map[string]int64{"view": 2, "purchase": 16044}, Newest: &newest,
		Skipped: map[string]int64{"guest": 1200}, Rejected: map[string]int64{"future-time": 3}}
	want := "shop sakila: 599 customers with interactions, 1,000 products; interactions: 16,044 purchase, 2 view\n" +
		"the newest interaction is of 2006-02-14 15:16\n" +
		"skipped, as the rules say: 1,200 guest\n" +
		"rejected, see quarantine: 3 future-time"
	if got := strings.Join(contents(manifest), "\n"); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	if got := contents(lake.Manifest{Customers: 98}); got != nil {
		t.Errorf("the lab's: %v", got)
	}
}

// Recommendations have the products' names, and the customer's group in place of the lab's city.
func TestTheTableHasTheShopsNames(t *testing.T) {
	films := published{shop: shape.Shop{Group: "country", Source: shape.Source{Interactions: make([]shape.Query, 1)}}, names: map[string]string{"7": "ACADEMY DINOSAUR"}}
	answer := platform.Answer{Record: map[string]any{"customer": 12, "country": "Japan", "city": "Akishima"}}
	answer.Recommended = []activity.Scored{{ID: "7", Score: 0.5}, {ID: "8", Score: 0.25}}
	want := "  customer  country  strategy  recommended (score)\n" +
		"  12        Japan              ACADEMY DINOSAUR (0.50)  8 (0.25)"
	if got := table(films, []platform.Answer{answer}, 3); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestCommandsToPaste(t *testing.T) {
	o := options{defaultDir: "/repository/.local", stateDir: "/repository/.local"}
	if got := o.command("serve"); got != "go run ./infra/local serve" {
		t.Error(got)
	}
	o.stateDir = "/elsewhere/a b"
	if got := o.command("serve"); got != "go run ./infra/local serve --state-dir '/elsewhere/a b'" {
		t.Error(got)
	}
	if got := mysqlCommand("root:pass@tcp(127.0.0.1:33)/shop"); !strings.HasPrefix(got, "mysql --host=127.0.0.1 --port=33 --user=root --password=pass shop ") {
		t.Error(got)
	}
}

// lines hands printed text to a test that waits for it.
type lines chan string

func (l lines) Write(text []byte) (int, error) {
	l <- string(text)
	return len(text), nil
}

func TestStartOnTheServersOfServe(t *testing.T) {
	mysqltest.ForTest(t) // skips where no server can be had
	postgrestest.ForTest(t)
	provisiontest.NodeModules(t)
	state := filepath.Join(t.TempDir(), "state with a blank")
	ctx, stop := context.WithCancel(t.Context())
	printed, served := make(lines), make(chan error, 1)
	go func() {
		served <- run(ctx, []string{"serve", "--state-dir", state}, printed, io.Discard)
		close(printed)
	}()
	up := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for line := range printed {
			if strings.Contains(line, "Everything is up") {
				close(up)
			}
		}
	}()
	select {
	case <-up:
	case <-ended:
		t.Fatal(<-served)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"start", "--input", `{"stages":"training-data"}`, "--state-dir", state}, &out, io.Discard); err != nil {
		t.Error(err)
	}
	if text := out.String(); strings.Contains(text, "Starting") || !strings.Contains(text, "PublishTrainingData") {
		t.Errorf("start printed %s", text)
	}
	invokeOnServe(t, state)
	comparePicture(t, state)
	err := run(t.Context(), []string{"start", "--source-sql", "main_test.go", "--state-dir", state}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "stop serve first") {
		t.Errorf("a source for what serve has up: %v", err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := platform.Attach(t.Context(), state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("serve is gone: %v", err)
	}
}

// invokeOnServe runs single functions on the platform that serve has up on a state directory.
func invokeOnServe(t *testing.T, state string) {
	t.Helper()
	command := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append(append([]string{"invoke"}, args...), "--state-dir", state), &out, io.Discard)
		return out.String(), err
	}
	if text, err := command("plan-extract"); err != nil || !strings.Contains(text, `"ranges"`) { // the shop of the run, which extract reads
		t.Errorf("plan-extract with its own event: %v, printed %s", err, text)
	}
	if text, err := command("extract"); err != nil || strings.Contains(text, "Starting") || !strings.Contains(text, `"ratings": 2500`) {
		t.Errorf("extract with its own event: %v, printed %s", err, text)
	}
	if text, err := command("evaluate"); err == nil || !strings.Contains(err.Error(), "InvalidInput: version 7") || !strings.Contains(text, "evaluate.log") {
		t.Errorf("evaluate of a version that is not there: %v, printed %s", err, text)
	}
	event := filepath.Join(t.TempDir(), "event.json")
	for _, test := range []struct{ event, want string }{
		{`{"run": "mine", "startedAt": "2026-11-23T01:00:00Z", "input": {"stages": "training-data"}}`, ""},
		{`{"run": "mine", "startedAt": "2026-11-23T01:00:00Z", "input": {"stages": "nothing"}}`, "InvalidInput"},
		{`{`, "is not JSON"},
	} {
		if err := os.WriteFile(event, []byte(test.event), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := command("plan-extract", event)
		if failed := err != nil; failed != (test.want != "") || failed && !strings.Contains(err.Error(), test.want) || !failed && !strings.Contains(text, `"ranges"`) {
			t.Errorf("plan-extract on %s: %v, printed %s", test.event, err, text)
		}
	}
}

func TestInvokeHelpNamesTheSteps(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"invoke", "--help"}, &out, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	for _, step := range platform.StepNames() {
		if !strings.Contains(out.String(), step) {
			t.Errorf("the help does not name %s", step)
		}
		if _, err := os.Stat(filepath.Join("..", "..", "..", "functions", step, "event.json")); err != nil {
			t.Errorf("%s has no default event: %v", step, err)
		}
	}
}

// comparePicture holds the README's picture to the evaluation of the sample run on a state directory. The run is seeded, so
// the picture is the same each time.
func comparePicture(t *testing.T, state string) {
	t.Helper()
	reports, err := filepath.Glob(filepath.Join(state, "s3", platform.LakeBucket, "evaluations", "*", "report.json"))
	if err != nil || len(reports) != 1 {
		t.Fatalf("want one report, got %q: %v", reports, err)
	}
	content, err := os.ReadFile(reports[0])
	if err != nil {
		t.Fatal(err)
	}
	var found report.Report
	if err := json.Unmarshal(content, &found); err != nil {
		t.Fatal(err)
	}
	var drawn bytes.Buffer
	if err := found.WriteSVG(&drawn); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join("..", "..", "..", "docs", "img", "evaluation.svg")
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(picture), 0o755), os.WriteFile(picture, drawn.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, drawn.Bytes()) {
		t.Errorf("%s is not the sample run's: go test ./infra/local/command -run StartOnTheServersOfServe -update", picture)
	}
}
