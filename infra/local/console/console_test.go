package console

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"recsys/statemachines"
)

// An action without the page's token or from another page is refused before anything is asked, and so is all of a console that
// only reads.
func TestActionsOfOthersAreRefused(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		s, err := Serve(t.Context(), "", Source{ReadOnly: readOnly})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		for name, c := range map[string]struct{ origin, token, host string }{
			"no token":       {s.URL(), "", ""},
			"another token":  {s.URL(), strings.Repeat("A", len(s.token)), ""},
			"no origin":      {"", s.token, ""},
			"another origin": {"http://evil.example", s.token, ""},
			"another host":   {s.URL(), s.token, "evil.example"},
		} {
			for _, path := range []string{"/start", "/activate"} {
				if status := post(t, s.URL()+path, c.origin, c.token, c.host); status != http.StatusForbidden {
					t.Errorf("%s %s: status %d, want 403", path, name, status)
				}
			}
		}
		status := post(t, s.URL()+"/activate", s.URL(), s.token, "") // without a version
		if want := map[bool]int{false: http.StatusBadRequest, true: http.StatusForbidden}[readOnly]; status != want {
			t.Errorf("read only %t: status %d, want %d", readOnly, status, want)
		}
	}
}

func post(t *testing.T, address, origin, token, host string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.Host = host; origin != "" {
		r.Header.Set("Origin", origin)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// The steps on the page are the tasks of the state machine, in its order.
func TestStepsAreThoseOfTheStateMachine(t *testing.T) {
	at := -1
	all := slices.Concat(known, alone[:1], exporting, alone[1:])
	for _, s := range all {
		place := strings.Index(string(statemachines.Batch), fmt.Sprintf("%q: {\n", s.State))
		if place <= at {
			t.Errorf("%s is not in the state machine after the step before", s.State)
		}
		at = place
	}
	if tasks := strings.Count(string(statemachines.Batch), `"Type": "Task"`); tasks != len(all) {
		t.Errorf("%d tasks, %d steps", tasks, len(all))
	}
	var machine struct{ States map[string]json.RawMessage }
	if err := json.Unmarshal(statemachines.Batch, &machine); err != nil {
		t.Fatal(err)
	}
	for _, frame := range slices.Concat(mapStates, failedStates) {
		if machine.States[frame] == nil {
			t.Errorf("the state machine lacks %s", frame)
		}
	}
}

// What is not ours is what its list says.
func TestVendoredFiles(t *testing.T) {
	list, err := os.ReadFile("assets/README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("assets/htmx.min.js")
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(text)); !strings.Contains(string(list), sum) || !strings.Contains(string(text), `version:"2.0.7"`) {
		t.Errorf("htmx.min.js has the sum %s, which its list lacks, or another version", sum)
	}
}

// A range that fails lets its step and no other be shown as failed. What comes after was skipped.
func TestStepsOfAFailedRun(t *testing.T) {
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	h := log{at: at}
	plan := h.enter(0, "PlanExtract")
	plan = h.exit(plan, "PlanExtract", `{"plan":{"ranges":[{},{}]}}`)
	ranges := h.enter(plan, mapStates[0])
	first := h.enter(ranges, "Extract")
	h.exit(first, "Extract", `{}`)
	second := h.enter(ranges, "Extract")
	h.fail(second)
	h.enter(ranges, failedStates[0])
	got := map[string]string{}
	for _, s := range steps(h.events, run{Started: at, Took: time.Minute}) {
		got[s.State] = s.Status
	}
	for state, want := range map[string]string{"PlanExtract": "done", "Extract": "failed", "Transform": "skipped", "TrainModel": "skipped"} {
		if got[state] != want {
			t.Errorf("%s is %s, want %s", state, got[state], want)
		}
	}
}

// log writes a history, a second an event.
type log struct {
	at     time.Time
	events []types.HistoryEvent
}

func (l *log) add(previous int64, e types.HistoryEvent) int64 {
	e.Id, e.PreviousEventId = int64(len(l.events)+1), previous
	e.Timestamp = aws.Time(l.at.Add(time.Duration(e.Id) * time.Second))
	l.events = append(l.events, e)
	return e.Id
}

func (l *log) enter(previous int64, state string) int64 {
	return l.add(previous, types.HistoryEvent{StateEnteredEventDetails: &types.StateEnteredEventDetails{Name: &state}})
}

func (l *log) exit(previous int64, state, output string) int64 {
	return l.add(previous, types.HistoryEvent{StateExitedEventDetails: &types.StateExitedEventDetails{Name: &state, Output: &output}})
}

func (l *log) fail(previous int64) {
	l.add(previous, types.HistoryEvent{TaskFailedEventDetails: &types.TaskFailedEventDetails{Error: aws.String("SchemaMismatch")}})
}
