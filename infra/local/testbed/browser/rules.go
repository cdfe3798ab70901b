package browser

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed rules.js
var rules string

// Broken returns what a person would call broken: the page scrolls sideways, something is clipped or leaves its frame, or texts
// lie over each other.
func (p *Page) Broken() (faults []string) {
	p.browser.t.Helper()
	p.Evaluate(rules, &faults)
	return faults
}

// Inaccessible returns what axe-core finds. It is read from the repository's node_modules.
func (p *Page) Inaccessible(axe string) []string {
	p.browser.t.Helper()
	var loaded bool
	if p.Evaluate("typeof axe !== 'undefined'", &loaded); !loaded {
		p.Evaluate(axe+"; undefined", nil)
	}
	var found []struct {
		ID, Help string
		Nodes    []struct{ HTML string }
	}
	p.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({ID: v.id, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html}))})))`, &found)
	var faults []string
	for _, f := range found {
		nodes, _ := json.Marshal(f.Nodes) // texts always marshal
		faults = append(faults, fmt.Sprintf("%s: %s %.500s", f.ID, f.Help, nodes))
	}
	return faults
}

// Axe returns the source of axe-core, for Page.Inaccessible. root is the repository.
func Axe(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "node_modules", "axe-core", "axe.min.js"))
	return string(text), err
}
