package shopfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxDepth bounds how deep lists and objects may be nested. A right file has 4 levels.
const maxDepth = 16

// reader walks the nodes of one file and gathers mistakes. After a mistake it goes on, so that a person sees all at once.
type reader struct {
	file     string
	mistakes []Mistake
	columns  []named // every column of customers and products
}

// named is a column's name and its place.
type named struct {
	name string
	at   *yaml.Node
}

// fields are the keys of an object, with the reader of each value.
type fields map[string]func(*yaml.Node)

// missf notes a mistake at a node, or about the whole file if it is nil. Both formats take their arguments from args in order.
func (r *reader) missf(at *yaml.Node, found, wanted string, args ...any) {
	inFound := strings.Count(strings.ReplaceAll(found, "%%", ""), "%")
	mistake := Mistake{File: r.file, Found: fmt.Sprintf(found, args[:inFound]...), Wanted: fmt.Sprintf(wanted, args[inFound:]...)}
	if at != nil {
		mistake.Line, mistake.Column = at.Line, at.Column
	}
	r.mistakes = append(r.mistakes, mistake)
}

// sorted returns the mistakes by line and column.
func (r *reader) sorted() []Mistake {
	slices.SortStableFunc(r.mistakes, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.mistakes
}

// load returns the root of the file's only document, or nil with a mistake. Aliases are refused before anything follows
// them, so a small file cannot become a large tree.
func (r *reader) load(content []byte) *yaml.Node {
	loader, err := yaml.NewLoader(strings.NewReader(string(content)))
	if err != nil {
		r.syntax(err)
		return nil
	}
	var document, second yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) || err == nil && len(document.Content) == 0 {
		r.missf(nil, "an empty file", "interactions and, as a rule, customers and products")
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	if err := loader.Load(&second); err == nil {
		r.missf(&second, "a second document (---)", "one document in a file")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	if !r.plain(&document, 0) {
		return nil
	}
	return document.Content[0]
}

// syntax notes text that is no YAML.
func (r *reader) syntax(err error) {
	mistake := Mistake{File: r.file, Found: err.Error(), Wanted: "YAML"}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		mistake.Line, mistake.Column = load.Mark.Line, load.Mark.Column+1
		mistake.Found = load.Message
	}
	r.mistakes = append(r.mistakes, mistake)
}

// plain reports whether a tree has no anchors, aliases and tags of its own, and is not too deep.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.missf(n, "an anchor or an alias (& or *)", "the text itself, twice if need be")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		r.missf(n, "the tag %s", "a value without a tag", n.Tag)
		return false
	case depth > maxDepth:
		r.missf(n, "more than %d levels", "the levels that docs/source.md describes", maxDepth)
		return false
	}
	all := true
	for _, child := range n.Content {
		all = r.plain(child, depth+1) && all
	}
	return all
}

// object reads an object by its keys. what names it in messages.
func (r *reader) object(n *yaml.Node, what string, known fields, required ...string) {
	seen := map[string]bool{}
	r.each(n, what, func(key, value *yaml.Node) {
		seen[key.Value] = true
		read, ok := known[key.Value]
		if !ok {
			names := slices.Sorted(maps.Keys(known))
			r.missf(key, "unknown key %q", "%s", key.Value, choice(key.Value, names))
			return
		}
		read(value)
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	for _, name := range required {
		if !seen[name] {
			r.missf(n, "%s lacks %q", "the key %s", what, name, name)
		}
	}
}

// each visits the keys of an object in the file's order, each once.
func (r *reader) each(n *yaml.Node, what string, visit func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.missf(n, "%s is %s", "keys with values", what, kindOf(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			r.missf(key, "a key that is %s", "a name", kindOf(key))
			continue
		}
		if line, twice := seen[key.Value]; twice {
			r.missf(key, "the key %q again, first in line %d", "each key once", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		visit(key, value)
	}
}

// text returns a text. Numbers and booleans without quotes are none, because YAML changes some of them.
func (r *reader) text(n *yaml.Node) (text string, ok bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		r.missf(n, "%s", "a text", kindOf(n))
		return "", false
	}
	return n.Value, true
}

// oneOf returns a text that is one of the choices.
func (r *reader) oneOf(n *yaml.Node, choices ...string) string {
	text := n.Value
	if n.Kind != yaml.ScalarNode || !slices.Contains(choices, text) {
		r.missf(n, "%s", "%s", kindOf(n), choice(text, choices))
		return ""
	}
	return text
}

// number returns a number.
func (r *reader) number(n *yaml.Node) (number float64, ok bool) {
	tag := n.ShortTag()
	if n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" || n.Load(&number) != nil {
		r.missf(n, "%s", "a number", kindOf(n))
		return 0, false
	}
	return number, true
}

// flag returns true or false.
func (r *reader) flag(n *yaml.Node) bool { return r.oneOf(n, "true", "false") == "true" }

// list visits the entries of a list.
func (r *reader) list(n *yaml.Node, what string, visit func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		r.missf(n, "%s is %s", "a list, as [purchase, rating]", what, kindOf(n))
		return
	}
	for _, entry := range n.Content {
		visit(entry)
	}
}

// kindOf describes a node for a message.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	switch value := shortened(n.Value); n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + value
	case "!!bool":
		return "the boolean " + value
	default:
		return fmt.Sprintf("the text %q", value)
	}
}

// shortened cuts a text for a message.
func shortened(text string) string {
	if letters := []rune(text); len(letters) > 60 {
		return string(letters[:60]) + "…"
	}
	return text
}
