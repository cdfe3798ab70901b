package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/platform"
)

// console shows the progress, a line each, to a person or a log file alike.
type console struct {
	mu      sync.Mutex
	out     io.Writer
	entered map[string]time.Time // by label of the state
	failed  map[string]string    // the error that a state failed with last
	caught  map[string]bool      // states that failed and are left through their Catch
}

func newConsole(out io.Writer) *console {
	return &console{out: out, entered: map[string]time.Time{}, failed: map[string]string{}, caught: map[string]bool{}}
}

// say prints a line. Texts and errors among args become printable, because data is in them.
func (c *console) say(format string, args ...any) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = printable(arg)
		case error:
			args[i] = printable(arg.Error())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, format+"\n", args...)
}

// block prints text of several lines, such as a table, the lines after the first as they are set in.
func (c *console) block(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.out, printableLines(text, ""))
}

func (c *console) heading(text string) { c.say("\n%s", text) }

// progress shows a slow part.
func (c *console) progress(text string) { c.say("  … %s", text) }

// event shows the states that do work. Choice and Pass states are the file's own business.
func (c *console) event(e stepfunctions.Event) {
	if e.StateType != "Task" && e.StateType != "Map" {
		return
	}
	label := e.State
	if e.Iteration != nil && e.StateType == "Task" {
		label = fmt.Sprintf("%s [%d]", e.State, *e.Iteration)
	}
	switch e.Type {
	case "StateEntered":
		c.entered[label] = e.Time
		c.say("  ▶ %s", label)
	case "StateCaught":
		c.caught[label] = true
	case "StateExited":
		if c.caught[label] {
			return // its failure is shown, and is no success
		}
		text := ""
		if e.StateType == "Task" {
			text = counts(e.Output, e.Input)
		}
		c.say("  ✔ %-24s %6.2f s  %s", label, e.Time.Sub(c.entered[label]).Seconds(), text)
		for _, remark := range remarks(e.Output, e.Input) {
			c.say("    %s", remark)
		}
	case "StateRetried":
		c.say("  ↻ %-24s attempt %d after %s", label, e.Attempt+1, c.failed[label]) // the event itself names no error
	case "StateFailed":
		c.failed[label] = e.Error
		c.say("  ✘ %-24s %6.2f s  %s", label, e.Time.Sub(c.entered[label]).Seconds(), e.Error)
	}
}

// remarks are the sentences that a state's output adds to its input: why its work had no result, or how a hand-over
// compares with the shop.
func remarks(output, input json.RawMessage) (sentences []string) {
	var after, before map[string]json.RawMessage
	_, _ = json.Unmarshal(output, &after), json.Unmarshal(input, &before) // only objects hold remarks
	for _, name := range slices.Sorted(maps.Keys(after)) {
		var step struct{ Status, Reason, Note string }
		if before[name] != nil {
			sentences = append(sentences, remarks(after[name], before[name])...)
			continue
		}
		if json.Unmarshal(after[name], &step) != nil {
			continue
		}
		if step.Status == "superseded" && step.Reason != "" {
			sentences = append(sentences, "superseded: "+step.Reason)
		}
		if step.Note != "" {
			sentences = append(sentences, step.Note)
		}
	}
	return sentences
}

// counts are the words that a state's output adds to its input: numbers and texts by name, lists by length.
func counts(output, input json.RawMessage) string {
	var after, before map[string]any
	if json.Unmarshal(output, &after) != nil || json.Unmarshal(input, &before) != nil {
		return ""
	}
	var words strings.Builder
	describe(&words, after, before)
	return strings.TrimPrefix(words.String(), ", ")
}

// shownElsewhere are the parts of a payload that the heading has told, or that the evaluation will.
var shownElsewhere = map[string]bool{"run": true, "startedAt": true, "reason": true, "report": true, "artifacts": true, "note": true, "location": true}

func describe(words *strings.Builder, after, before map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(after)) {
		old, isOld := before[key]
		oldObject, _ := old.(map[string]any)
		object, isObject := after[key].(map[string]any)
		if isObject && (object["artifacts"] == "" || object["status"] == "off") { // nothing was trained or exported: the other counts say nothing
			fmt.Fprintf(words, ", status %v", object["status"])
			continue
		}
		if isObject {
			describe(words, object, oldObject)
			continue
		}
		if isOld || shownElsewhere[key] {
			continue
		}
		switch value := after[key].(type) {
		case []any:
			fmt.Fprintf(words, ", %s %d", key, len(value))
		case float64:
			fmt.Fprintf(words, ", %s %s", key, number(value))
		default:
			fmt.Fprintf(words, ", %s %v", key, value)
		}
	}
}

func number(value float64) string {
	if value == float64(int64(value)) {
		return grouped(int64(value))
	}
	return fmt.Sprintf("%.3f", value)
}

// grouped writes 2532 as 2,532.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// handOver tells of artifacts that stay because no flag names others.
func (c *console) handOver(there platform.HandOver) {
	switch there.Whose {
	case platform.Folder:
		c.say("  artifacts: %s, uploaded %s. --artifacts or reset changes them, --input '{\"train\":true}' trains instead", display(there.From), there.At.Local().Format(time.DateTime))
	case platform.Other:
		c.say("  artifacts: somebody's files in %s stay. --artifacts DIR replaces them, --input '{\"train\":true}' trains instead", platform.ArtifactsBucket)
	}
}

// endpoints shows how to look into the servers that serve has up. command is a line that runs another command on it.
func (c *console) endpoints(e platform.Endpoints, command func(string) string) {
	c.say(`
Everything is up. Ctrl-C stops it. In another terminal (PostgreSQL's user may read, and write the trends):

  psql '%s' -c "select version, status, recall, evaluation->>'status' as gate, evaluation->>'ndcg10' as ndcg10 from embedding_version"
  %s
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
  aws --endpoint-url %s s3 ls --recursive s3://%s/ratings_ml_training/
  aws --endpoint-url %s s3 ls --recursive s3://%s/
  aws --endpoint-url %s kinesis describe-stream-summary --stream-name %s
  aws --endpoint-url %s firehose describe-delivery-stream --delivery-stream-name %s
  aws --endpoint-url %s glue get-table --database-name %s --name ratings_ml_training
  aws --endpoint-url %s lambda list-functions
  curl '%s/v1/trending?limit=3'    # all routes: /v1/openapi.json, docs/api.md
  aws --endpoint-url %s stepfunctions start-execution --state-machine-arn %s --input '{"stages":"training-data"}'
  aws --endpoint-url %s stepfunctions list-executions --state-machine-arn %s
  %s
  %s`,
		e.VectorStore, mysqlCommand(e.Source), e.S3, platform.LakeBucket, e.S3, platform.RecommendationsBucket,
		e.Kinesis, platform.ActivityStream, e.Firehose, platform.DeliveryStream, e.Glue, platform.GlueDatabase, e.Lambda, e.API,
		e.SFN, stepfunctions.ARN, e.SFN, stepfunctions.ARN,
		command(`start --input '{"stages":"training-data"}'`), command("put-records FILE"))
}

// mysqlCommand is the client's command line for a DSN.
func mysqlCommand(dsn string) string {
	source, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "# MySQL: " + dsn
	}
	address := "--socket=" + quote(source.Addr)
	if host, port, err := net.SplitHostPort(source.Addr); err == nil && source.Net == "tcp" {
		address = "--host=" + host + " --port=" + port
	}
	return fmt.Sprintf("mysql %s --user=%s --password=%s %s -e 'select count(*) from ratings'",
		address, quote(source.User), quote(source.Passwd), quote(source.DBName))
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+-]+$`)

// quote makes one word of a text for a shell.
func quote(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// display shortens a path below the working directory.
func display(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}
