package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// step is a state of the workflow that does work, in one execution.
type step struct {
	State, Title, What string
	Status             string // waiting, running, done, failed or skipped
	Facts              string // what it says of its work
	Began, Ended       time.Time
	From, Width        float64 // its part of the run's time, in percent
	Attempts           int     // that failed
	inner              bool    // of the Map
	entered, left      int
}

// Took is how long it has been at work.
func (s step) Took() time.Duration {
	if s.Ended.IsZero() {
		return time.Since(s.Began)
	}
	return s.Ended.Sub(s.Began)
}

// Ranges tells how many ranges of customers are done.
func (s step) Ranges() string {
	if !s.inner || s.entered == 0 {
		return ""
	}
	if s.entered == 1 {
		return "1 range"
	}
	return fmt.Sprintf("%d of %d ranges", s.left, s.entered)
}

// Retries is the number of failed attempts.
func (s step) Retries() int64 { return int64(s.Attempts) }

// known are the states in their order. A test compares them with the state machine.
var known = []step{
	{State: "PlanExtract", Title: "Plan", What: "cuts the customers into ranges"},
	{State: "Extract", Title: "Extract", What: "reads the shop's rows", inner: true},
	{State: "Transform", Title: "Transform", What: "joins, cleans, and puts bad rows aside", inner: true},
	{State: "PartitionWrite", Title: "Write", What: "writes Parquet", inner: true},
	{State: "PublishTrainingData", Title: "Publish", What: "makes the snapshot visible"},
	{State: "TrainModel", Title: "Train", What: "searches the options and learns the vectors"},
	{State: "UploadEmbeddings", Title: "Load", What: "loads the version into the database"},
	{State: "EvaluateVersion", Title: "Evaluate", What: "measures it on held-out interactions"},
	{State: "IndexVectors", Title: "Activate", What: "builds the index and makes it the one that answers"},
}

// alone are the states of an execution that only activates a version.
var alone = []step{
	{State: "RollBack", Title: "Roll back", What: "makes the version before the one that answers"},
	{State: "ActivateVersion", Title: "Activate", What: "makes a kept version the one that answers"},
}

// exporting are the states behind both, which write lists for everybody. An execution without an export ends at the first of them.
var exporting = []step{
	{State: "RefreshVersion", Title: "Refresh", What: "brings the version up to the newest snapshot"},
	{State: "PlanExport", Title: "Plan export", What: "cuts customers and products into ranges"},
	{State: "ExportRange", Title: "Export", What: "writes the lists", inner: true},
	{State: "PublishExport", Title: "Publish export", What: "makes the lists visible"},
}

// Frame states hold others or decide. They are no steps.
var mapStates, failedStates = []string{"ExtractRanges", "ExportRanges"}, []string{"Failed", "ExportFailed"}

// steps reads a history: which states were entered and left, and when.
func steps(events []types.HistoryEvent, of run) []step {
	h := history{byState: map[string]*step{}, stateOf: map[int64]string{}}
	for _, s := range slices.Concat(known, alone, exporting) {
		s.Status = "waiting"
		h.byState[s.State] = &s
	}
	for _, e := range events {
		h.add(e)
	}
	wanted := known
	for _, s := range alone {
		if h.byState[s.State].entered > 0 {
			wanted = []step{s}
		}
	}
	wanted = slices.Clone(wanted)
	for _, s := range exporting {
		if h.byState[s.State].entered > 0 {
			wanted = append(wanted, s)
		}
	}
	var all []step
	for _, s := range wanted {
		all = append(all, h.finished(*h.byState[s.State], of))
	}
	return all
}

type history struct {
	byState map[string]*step
	stateOf map[int64]string // event → the state that it belongs to
}

func (h *history) add(e types.HistoryEvent) {
	state := h.stateOf[e.PreviousEventId]
	at := aws.ToTime(e.Timestamp)
	switch {
	case e.StateEnteredEventDetails != nil:
		entered := aws.ToString(e.StateEnteredEventDetails.Name)
		if slices.Contains(failedStates, entered) {
			h.fail(state)
		}
		state = entered
		if s := h.byState[state]; s != nil {
			s.enter(at)
		}
	case e.StateExitedEventDetails != nil:
		state = aws.ToString(e.StateExitedEventDetails.Name)
		if s := h.byState[state]; s != nil {
			s.leave(at, aws.ToString(e.StateExitedEventDetails.Output))
		}
	case e.TaskFailedEventDetails != nil || e.LambdaFunctionFailedEventDetails != nil || e.TaskTimedOutEventDetails != nil:
		if s := h.byState[state]; s != nil {
			s.Attempts++
			s.Ended = at
		}
	}
	h.stateOf[e.Id] = state
}

// fail marks the state before Failed. If that is the Map, those within it that were not left have failed.
func (h *history) fail(state string) {
	for name, s := range h.byState {
		if name == state || s.Attempts > 0 && s.inner && (slices.Contains(mapStates, state) || h.byState[state] == nil) {
			s.Status = "failed"
		}
	}
}

func (s *step) enter(at time.Time) {
	if s.entered++; s.entered == 1 {
		s.Began = at
	}
	s.Status, s.Ended = "running", time.Time{}
}

func (s *step) leave(at time.Time, text string) {
	s.left++
	s.Ended = at
	if s.left == s.entered {
		s.Status = "done"
	}
	var o output
	if json.Unmarshal([]byte(text), &o) == nil {
		s.Facts = facts(s.State, o)
	}
}

// finished gives a step its place in the run's time. What was not reached when the run ended was skipped.
func (h *history) finished(s step, of run) step {
	switch {
	case of.Running:
	case s.Status == "waiting":
		s.Status = "skipped"
	case s.Status == "running" && s.left < s.entered:
		s.Status = "failed"
	}
	if s.Began.IsZero() || of.Took <= 0 {
		return s
	}
	if s.Ended.IsZero() && !of.Running {
		s.Ended = of.Started.Add(of.Took)
	}
	share := func(d time.Duration) float64 { return min(100, max(0, 100*float64(d)/float64(of.Took))) }
	s.From = share(s.Began.Sub(of.Started))
	s.Width = max(0.8, min(share(s.Took()), 100-s.From))
	return s
}

// facts are the words of a step about its work.
func facts(state string, o output) string {
	var words []string
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	switch state {
	case "PlanExtract":
		if o.Plan != nil {
			say("%s", plural(int64(len(o.Plan.Ranges)), "range", "ranges"))
		}
	case "PublishTrainingData":
		if o.TrainingData.Status == "published" {
			say("%s rows", count(o.TrainingData.Rows))
			say("%s rejected", count(o.TrainingData.Rejected))
		}
	case "TrainModel":
		if o.Training.Status != "trained" {
			return o.Training.Status
		}
		say("%s customers", count(int64(o.Training.Customers)))
		say("%s products", count(int64(o.Training.Items)))
	case "UploadEmbeddings":
		if o.Embeddings.Upload.Version == 0 {
			return o.Embeddings.Upload.Status
		}
		say("version %d, %s", o.Embeddings.Upload.Version, o.Embeddings.Upload.Status)
	case "EvaluateVersion":
		if e := o.Embeddings.Evaluation; e != nil {
			say("%s, NDCG@10 %s", e.Status, figure(e.NDCG10))
		}
	case "IndexVectors", "RollBack", "ActivateVersion":
		if i := o.Embeddings.Index; i != nil {
			say("version %d is %s", i.Version, i.Status)
		}
	}
	return strings.Join(words, ", ")
}
