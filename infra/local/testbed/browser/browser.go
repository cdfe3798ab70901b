// Package browser drives a headless Chromium for tests, by the DevTools protocol over a pipe.
//
// Spec: https://chromedevtools.github.io/devtools-protocol/. Without a Chromium on the machine the test is skipped with a line,
// also in CI, because not each machine can have one.
package browser

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// names of Chromium's command, Debian's first.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// patience bounds each request to the browser.
const patience = time.Minute

// Browser is a running Chromium.
type Browser struct {
	t    testing.TB
	in   io.WriteCloser
	send sync.Mutex

	mu      sync.Mutex
	last    int64
	waiting map[int64]chan message
	pages   map[string]*Page // by session
	ended   error
}

// message is a request, an answer or an event.
type message struct {
	ID      int64           `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Find returns the path of a Chromium, or skips the test.
func Find(t testing.TB) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("skipped: there is no Chromium on this machine (apt-get install chromium)")
	return ""
}

// Start starts a Chromium that ends with the test. It reaches nothing but this machine.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := Find(t)
	toRead, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, toWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(context.WithoutCancel(t.Context()), path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--no-first-run", "--hide-scrollbars=false",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	command.ExtraFiles = []*os.File{toRead, toWrite} // its descriptors 3 and 4
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	toRead.Close()
	toWrite.Close()
	b := &Browser{t: t, in: in, waiting: map[int64]chan message{}, pages: map[string]*Page{}}
	done := make(chan struct{})
	go func() { defer close(done); b.read(out) }()
	t.Cleanup(func() {
		_, _ = b.call("", "Browser.close", nil)
		in.Close()
		<-done
		_ = command.Wait()
	})
	return b
}

// read takes the messages until the browser ends.
func (b *Browser) read(out io.Reader) {
	messages := bufio.NewReaderSize(out, 1<<20)
	for {
		text, err := messages.ReadBytes(0)
		if err != nil {
			b.end(fmt.Errorf("the browser ended: %w", err))
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) == nil {
			b.take(m)
		}
	}
}

func (b *Browser) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
	for id, answer := range b.waiting {
		close(answer)
		delete(b.waiting, id)
	}
}

func (b *Browser) take(m message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if answer := b.waiting[m.ID]; answer != nil {
		delete(b.waiting, m.ID)
		answer <- m
		return
	}
	if page := b.pages[m.Session]; page != nil {
		page.event(m)
	}
}

// call sends a request and waits for its answer. The session is a page's, "" for the browser.
func (b *Browser) call(session, method string, params any) (json.RawMessage, error) {
	text, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	if b.ended != nil {
		defer b.mu.Unlock()
		return nil, b.ended
	}
	b.last++
	request := message{ID: b.last, Session: session, Method: method, Params: text}
	b.waiting[request.ID] = answer
	b.mu.Unlock()
	if err := b.write(request); err != nil {
		return nil, err
	}
	select {
	case m, open := <-answer:
		if !open {
			return nil, b.ended
		}
		if m.Error != nil {
			return nil, errors.New(method + ": " + m.Error.Message)
		}
		return m.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer after %v", method, patience)
	}
}

func (b *Browser) write(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	b.send.Lock()
	defer b.send.Unlock()
	_, err = b.in.Write(append(text, 0))
	return err
}

// must calls and reads the answer into a value, which may be nil.
func (b *Browser) must(session, method string, params, into any) {
	b.t.Helper()
	result, err := b.call(session, method, params)
	if err == nil && into != nil {
		err = json.Unmarshal(result, into)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// object is parameters by name.
type object map[string]any

// Page is one tab.
type Page struct {
	browser *Browser
	session string

	mu     sync.Mutex
	faults []string
	loaded chan struct{}
}

// Open opens a tab of this width. Dark asks for the dark colours.
func (b *Browser) Open(width int, dark bool) *Page {
	b.t.Helper()
	var target struct {
		ID string `json:"targetId"`
	}
	b.must("", "Target.createTarget", object{"url": "about:blank"}, &target)
	var attached struct {
		Session string `json:"sessionId"`
	}
	b.must("", "Target.attachToTarget", object{"targetId": target.ID, "flatten": true}, &attached)
	p := &Page{browser: b, session: attached.Session, loaded: make(chan struct{}, 1)}
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.must(domain+".enable", nil, nil)
	}
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.must("Emulation.setDeviceMetricsOverride", object{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	p.must("Emulation.setEmulatedMedia", object{"features": []object{
		{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}}}, nil)
	return p
}

func (p *Page) must(method string, params, into any) {
	p.browser.t.Helper()
	p.browser.must(p.session, method, params, into)
}

// event notes what the console of the page tells.
func (p *Page) event(m message) {
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case p.loaded <- struct{}{}:
		default:
		}
	case "Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed":
		p.fault(m.Method, m.Params)
	case "Runtime.consoleAPICalled":
		var called struct{ Type string }
		if json.Unmarshal(m.Params, &called) == nil && (called.Type == "error" || called.Type == "warning") {
			p.fault(m.Method, m.Params)
		}
	}
}

func (p *Page) fault(what string, params json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, what+" "+string(params[:min(len(params), 600)]))
}

// Go loads an address and waits until all of it is there.
func (p *Page) Go(url string) {
	p.browser.t.Helper()
	var answer struct{ ErrorText string }
	p.must("Page.navigate", object{"url": url}, &answer)
	if answer.ErrorText != "" {
		p.browser.t.Fatalf("loading %s: %s", url, answer.ErrorText)
	}
	p.wait(url)
}

func (p *Page) wait(url string) {
	p.browser.t.Helper()
	select {
	case <-p.loaded:
	case <-time.After(patience):
		p.browser.t.Fatalf("%s is not loaded after %v", url, patience)
	}
}

// Click clicks the first element of a selector, and waits for the page that it leads to.
func (p *Page) Click(selector string) {
	p.browser.t.Helper()
	var clicked bool
	p.Evaluate(fmt.Sprintf("(e => { if (e) e.click(); return !!e })(document.querySelector(%q))", selector), &clicked)
	if !clicked {
		p.browser.t.Fatalf("nothing is %s", selector)
	}
	p.wait(selector)
}

// Evaluate runs a script, which may be a promise, and reads its value.
func (p *Page) Evaluate(script string, into any) {
	p.browser.t.Helper()
	var answer struct {
		Result    struct{ Value json.RawMessage }
		Exception *struct {
			Text      string
			Exception struct{ Description string }
		} `json:"exceptionDetails"`
	}
	p.must("Runtime.evaluate", object{"expression": script, "returnByValue": true, "awaitPromise": true}, &answer)
	if answer.Exception != nil {
		p.browser.t.Fatalf("a script failed: %s %s", answer.Exception.Text, answer.Exception.Exception.Description)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer.Result.Value, into); err != nil {
		p.browser.t.Fatal(err)
	}
}

// Faults returns what the page's console has told since the last call: errors, warnings, exceptions, and what was not loaded.
func (p *Page) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	faults := p.faults
	p.faults = nil
	return faults
}

// Picture returns the whole page as PNG.
func (p *Page) Picture() []byte {
	p.browser.t.Helper()
	var answer struct{ Data string }
	p.must("Page.captureScreenshot", object{"format": "png", "captureBeyondViewport": true, "fromSurface": true}, &answer)
	picture, err := base64.StdEncoding.DecodeString(answer.Data)
	if err != nil {
		p.browser.t.Fatal(err)
	}
	return picture
}
