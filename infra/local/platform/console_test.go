package platform

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/console"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/sample"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/browser"
)

var pictures = flag.String("pictures", "", "write pictures of the console to this folder, at three widths and in both themes")

// TestConsoleInABrowser looks at every page on an empty shop, after a failed run, on the sample shop, and after a refused model.
// Rules stand for a person's eyes: nothing scrolls sideways, is clipped or overlaps, axe-core finds nothing, and the browser's
// console stays silent.
func TestConsoleInABrowser(t *testing.T) {
	t.Parallel()
	browser.Find(t)
	p := startPlatform(t, nil)
	server, err := p.ServeConsole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := viewer{t, browser.Start(t), server, axe(t)}

	v.look("empty", map[string]string{"now": "Nothing ran yet", "shop": "The shop is empty", "models": "No version yet", "try": "No training data", "data": "No snapshot is published"})

	inSource(t, p, "insert into ratings select customerNumber, 'NONE', 9 from customers")
	if failed := v.run(p, "bad", trainingData); failed == nil || failed.Name != "TooManyRejectedRows" {
		t.Fatalf("got %v", failed)
	}
	v.look("failed", map[string]string{"now": "TooManyRejectedRows", "rejected": "122"})
	page := v.browser.Open(1280, false)
	page.Go(server.URL())
	page.Click(`a[href="/shop?run=bad"]`)
	v.wants(page, "rating-out-of-range")

	inSource(t, p, "delete from ratings where productCode = 'NONE'")
	if failed := v.run(p, "structured", `{}`); failed != nil {
		t.Fatal(failed)
	}
	answerSome(t, p)
	v.look("sample", map[string]string{"now": "Version 1", "shop": "2,500", "models": "What was tried", "asked": " of the history", "data": "read_parquet"})
	v.server = deployedConsole(t, p)
	v.look("deployed", map[string]string{"now": "Version 1", "models": "does not reach the vector database", "try": "no connection", "data": "s3://"})
	v.server = server

	upload(t, p, sample.Artifacts())
	if failed := v.run(p, "second", embeddings); failed != nil {
		t.Fatal(failed)
	}
	v.activates(1)

	shuffle(t, p)
	if failed := v.run(p, "noise", `{"train":true}`); failed != nil {
		t.Fatal(failed)
	}
	v.look("refused", map[string]string{"now": "was refused", "models": "refused", "refused": "Not promoted"})
}

// deployedConsole is the console as an operator has it of a deployment: it only reads, and has no database.
func deployedConsole(t *testing.T, p *Platform) *console.Server {
	t.Helper()
	workflow, err := p.Workflow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := console.Serve(t.Context(), "", console.Source{Place: "recsys-prod", ReadOnly: true, Workflow: workflow, Machine: stepfunctions.ARN,
		Lake: p.Store(LakeBucket), Artifacts: p.Store(ArtifactsBucket), Recommendations: p.Store(RecommendationsBucket), Glue: "recsys_prod"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// answerSome lets the stream answer the sample.
func answerSome(t *testing.T, p *Platform) {
	t.Helper()
	ids, err := p.PutRecords(t.Context(), bytes.NewReader(sample.Sessions()))
	if err == nil {
		_, _, err = p.Answers(t.Context(), ids, time.Now(), func(int) {})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// viewer looks at a console.
type viewer struct {
	t       *testing.T
	browser *browser.Browser
	server  *console.Server
	axe     string
}

// axe is the source of axe-core, "" if npm has not installed it.
func axe(t *testing.T) string {
	t.Helper()
	root, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	source, err := browser.Axe(root)
	if err != nil {
		t.Log("axe-core is not installed, so nobody checks what it would find")
	}
	return source
}

func (v viewer) run(p *Platform, name, input string) (failed *stepfunctions.ExecutionError) {
	v.t.Helper()
	_, err := p.Execute(v.t.Context(), stepfunctions.Execution{Name: name, StartTime: time.Now(), Input: json.RawMessage(input)})
	if failed, ok := err.(*stepfunctions.ExecutionError); ok {
		return failed
	}
	if err != nil {
		v.t.Fatal(err)
	}
	return nil
}

// addresses of the pages, by name.
var addresses = map[string]string{
	"now": "/", "shop": "/shop", "models": "/models", "try": "/try", "data": "/data",
	"rejected": "/shop?run=bad", "refused": "/models?version=3", "asked": "/try?customer=104&item=" + url.QueryEscape(sampleProduct),
}

// sampleProduct is a product of the sample shop.
const sampleProduct = "T32_2247"

// look opens pages at a narrow and at a wide window, in both themes. Each has to have its text.
func (v viewer) look(state string, texts map[string]string) {
	v.t.Helper()
	views := []view{{400, true}, {1280, false}}
	if *pictures != "" {
		views = []view{{400, false}, {400, true}, {768, false}, {768, true}, {1280, false}, {1280, true}}
	}
	for _, size := range views {
		page := v.browser.Open(size.width, size.dark)
		for name, text := range texts {
			at := fmt.Sprintf("%s-%s-%d-%s", state, name, size.width, size.theme())
			page.Go(v.server.URL() + addresses[name])
			v.wants(page, text)
			v.sound(page, at)
			if *pictures != "" {
				if err := os.WriteFile(filepath.Join(*pictures, at+".png"), page.Picture(), 0o644); err != nil {
					v.t.Fatal(err)
				}
			}
		}
	}
}

type view struct {
	width int
	dark  bool
}

func (v view) theme() string {
	if v.dark {
		return "dark"
	}
	return "light"
}

// sound wants a page that breaks no rule.
func (v viewer) sound(page *browser.Page, at string) {
	v.t.Helper()
	faults := page.Broken()
	if v.axe != "" {
		faults = append(faults, page.Inaccessible(v.axe)...)
	}
	for _, fault := range append(faults, page.Faults()...) {
		v.t.Errorf("%s: %s", at, fault)
	}
}

func (v viewer) wants(page *browser.Page, text string) {
	v.t.Helper()
	var shown string
	if page.Evaluate("document.body.innerText", &shown); !strings.Contains(shown, text) {
		v.t.Errorf("the page lacks %q:\n%s", text, shown)
	}
}

// activates clicks on the button of a kept version, and waits until the live part says that it answers.
func (v viewer) activates(version int) {
	v.t.Helper()
	page := v.browser.Open(1280, false)
	page.Go(v.server.URL() + "/models")
	page.Click(fmt.Sprintf(`button[aria-label="Activate version %d"]`, version))
	testbed.Eventually(v.t, "the version is active", func() bool {
		var shown string
		page.Evaluate("document.body.innerText", &shown)
		return strings.Contains(shown, fmt.Sprintf("version %d is activated", version))
	})
	page.Go(v.server.URL())
	v.wants(page, fmt.Sprintf("Version %d\n", version))
}
