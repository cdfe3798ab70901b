package platform

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"recsys/infra/local/db/provision"
	"recsys/shared/stream/activity"
)

// The function's binary is behind a real port, as serve has it.
func TestTheAPI(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) { c.SourceSQL = []string{looseShop(t, called("a"))} })
	h := newHandOver("a", 16, 1)
	activates(t, p, "first", 0, h.files, 1)
	t.Run("the stream answers alike", func(t *testing.T) { doorsAgree(t, p) })
	t.Run("examples", func(t *testing.T) { examplesRun(t, p) })
	t.Run("page", func(t *testing.T) { pageShows(t, p, h) })
	t.Run("another site's page", func(t *testing.T) { foreignPageIsRefused(t, p) })
}

// doorsAgree asks the stream and the API the same questions. Scores of trends fall while they do.
func doorsAgree(t *testing.T, p *Platform) {
	records := []string{
		`{"session_id":"s1","customer_number":103}`, `{"session_id":"s2","customer_number":103,"browse_history":[{"product_code":"a-07","in_shopping_cart":true}]}`,
		`{"session_id":"s3","customer_number":9999,"country":"France","browse_history":[{"product_code":"a-11"}]}`, `{"session_id":"s4","country":"France"}`,
	}
	var byAPI []string
	for _, record := range records {
		response, err := http.Post(p.Endpoints.API+"/v1/recommendations", "application/json", strings.NewReader(record))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Items []activity.Scored }
		err = json.NewDecoder(response.Body).Decode(&answer)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || len(answer.Items) != 5 {
			t.Fatalf("%s: status %d, %+v, %v", record, response.StatusCode, answer, err)
		}
		byAPI = append(byAPI, idsOf(answer.Items))
	}
	before := p.Mapping.Stats()
	events := put(t, p, records...)
	settled(t, p, before, len(events))
	for i, l := range delivered(t, p, events) {
		if byStream := idsOf(l.Recommended); byStream != byAPI[i] {
			t.Errorf("%s: the API answers %s, the stream %s", records[i], byAPI[i], byStream)
		}
	}
}

func idsOf(items []activity.Scored) string {
	var ids []string
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	return strings.Join(ids, " ")
}

var fenced = regexp.MustCompile("(?s)```(sh|js|python)(?: tested)?\n(.*?)```")

// examplesRun runs those of the document as a reader pastes them.
func examplesRun(t *testing.T, p *Platform) {
	commands := map[string][]string{
		"sh":     {"bash", "-euc", `curl() { command curl --silent --show-error --fail "$@"; }` + "\n"},
		"js":     {"node", "--input-type=module", "--eval", ""},
		"python": {"python3", "-c", ""},
	}
	document, err := os.ReadFile(filepath.Join(root(t), "docs/api.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for _, found := range fenced.FindAllStringSubmatch(string(document), -1) {
		command := commands[found[1]]
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("not run: %v", err)
			continue
		}
		last := len(command) - 1
		run := exec.CommandContext(t.Context(), command[0], append(command[1:last:last], command[last]+found[2])...)
		run.Env = append(os.Environ(), "API="+p.Endpoints.API)
		if out, err := run.CombinedOutput(); err != nil || !regexp.MustCompile(`a-\d\d`).Match(out) {
			t.Errorf("%s: %v\n%s\nprints\n%s", found[1], err, found[2], out)
		}
		ran[found[1]] = true
	}
	if !ran["js"] {
		t.Errorf("only %v ran", ran)
	}
}

// pageShows opens the example page in a real browser.
func pageShows(t *testing.T, p *Platform, h handOver) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("skipped: there is no Chromium on this machine (apt-get install chromium)")
	}
	for query, want := range map[string]string{
		"?customer=103":               h.nearest(103)[0].ID + `<span class="reason"> – `,
		"?customer=9999&product=a-07": `<span class="reason"> – similar to a-07</span>`,
		"?customer=not%20a%20number":  "the request cannot be read",
	} {
		// Virtual time stands still while a request is under way.
		run := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(),
			"--virtual-time-budget=5000", "--dump-dom", p.Endpoints.API+"/"+query)
		page, err := run.Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), want) {
			t.Errorf("%s: want %s in\n%s", query, want, page)
		}
	}
}

func foreignPageIsRefused(t *testing.T, p *Platform) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Endpoints.API+"/v1/trending", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://evil.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); response.StatusCode != http.StatusForbidden {
		t.Errorf("status %d: %s, %v", response.StatusCode, body, err)
	}
}

func root(t *testing.T) string {
	t.Helper()
	path, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
