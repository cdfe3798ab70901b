package prose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

const root = "../../../.." // the repository

// tracked returns the repository's files whose names end as given.
func tracked(t *testing.T, suffix string) (paths []string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "*"+suffix).Output()
	if err != nil {
		t.Skipf("the texts are those that git lists: %v", err)
	}
	return strings.Fields(string(output))
}

func readme(t *testing.T) []text { return markdown(t, []string{"README.md"}) }

func documents(t *testing.T) []text {
	return markdown(t, slices.DeleteFunc(tracked(t, ".md"), func(path string) bool { return path == "README.md" }))
}

var fences = regexp.MustCompile("(?s)```.*?```")

// markdown reads the prose of documents, without code, tables, headings and pictures.
func markdown(t *testing.T, paths []string) (texts []text) {
	t.Helper()
	for _, path := range paths {
		content, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for line := range strings.Lines(fences.ReplaceAllString(string(content), "")) {
			trimmed := strings.TrimSpace(line)
			item := strings.HasPrefix(trimmed, "- ") || strings.HasPrefix(trimmed, "* ") || numbered.MatchString(trimmed)
			switch {
			case strings.HasPrefix(line, "|"), strings.HasPrefix(line, "#"), strings.HasPrefix(line, "!["):
				kept = append(kept, "")
			case item:
				kept = append(kept, "", strings.TrimLeft(trimmed, "-*0123456789. "))
			default:
				kept = append(kept, trimmed)
			}
		}
		texts = append(texts, text{path, strings.Join(kept, "\n")})
	}
	return texts
}

var numbered = regexp.MustCompile(`^\d+\. `)

// source is a parsed file.
type source struct {
	path  string
	file  *ast.File
	files *token.FileSet
}

func (s source) place(node ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.files.Position(node.Pos()).Line)
}

// parsed are the Go files, once they have been read.
var parsed []source

// goFiles returns all Go files.
func goFiles(t *testing.T) []source {
	t.Helper()
	if parsed != nil {
		return parsed
	}
	for _, path := range tracked(t, ".go") {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(root, path), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, source{path, file, files})
	}
	return parsed
}

// comments reads all comments but directives and code in them.
func comments(t *testing.T) (texts []text) {
	for _, s := range goFiles(t) {
		for _, group := range s.file.Comments {
			var kept []string
			for line := range strings.Lines(group.Text()) {
				if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "   ") || strings.HasPrefix(line, "#") {
					line = "\n"
				}
				kept = append(kept, strings.TrimSuffix(line, "\n"))
			}
			texts = append(texts, text{s.place(group), strings.Join(kept, "\n")})
		}
	}
	return texts
}

func errorTexts(t *testing.T) []text {
	return literals(t, func(function string) bool {
		return function == "errors.New" || strings.HasSuffix(function, ".Errorf")
	})
}

// logTexts reads log lines and the lines of the console.
func logTexts(t *testing.T) []text {
	return literals(t, func(function string) bool {
		_, method, _ := strings.Cut(function, ".")
		return strings.HasPrefix(function, "slog.") || slices.Contains([]string{"say", "heading", "progress", "Progress"}, method)
	})
}

// commands are lines that are set in, for people to paste.
var commands = regexp.MustCompile(`(?m)^  +\S.*$`)

var verbs = regexp.MustCompile(`%[-+# 0]*[0-9.]*[a-zA-Z]`)

// literals reads the texts in calls of some functions, tests aside.
func literals(t *testing.T, wanted func(function string) bool) (texts []text) {
	for _, s := range goFiles(t) {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		ast.Inspect(s.file, func(node ast.Node) bool {
			call, isCall := node.(*ast.CallExpr)
			if !isCall || !wanted(called(call)) {
				return true
			}
			for _, argument := range call.Args {
				said := commands.ReplaceAllString(stringOf(argument), "\n\n")
				if strings.TrimSpace(said) != "" {
					texts = append(texts, text{s.place(argument), verbs.ReplaceAllString(said, "X")})
				}
			}
			return true
		})
	}
	return texts
}

// optionsAndAlarms reads the text of each option, in its tag, and the descriptions in infra, which the mails of alarms show.
func optionsAndAlarms(t *testing.T) (texts []text) {
	for _, s := range goFiles(t) {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		ast.Inspect(s.file, func(node ast.Node) bool {
			said := ""
			switch n := node.(type) {
			case *ast.Field:
				if n.Tag != nil {
					said = reflect.StructTag(strings.Trim(n.Tag.Value, "`")).Get("text")
				}
			case *ast.KeyValueExpr:
				if key, plain := n.Key.(*ast.Ident); plain && key.Name == "Description" && strings.HasPrefix(s.path, "infra/") {
					said = firstString(n.Value)
				}
			}
			if said != "" {
				texts = append(texts, text{s.place(node), verbs.ReplaceAllString(said, "X")})
			}
			return true
		})
	}
	return texts
}

// firstString returns the first text in an expression, which may be the argument of a call.
func firstString(expression ast.Expr) (said string) {
	ast.Inspect(expression, func(node ast.Node) bool {
		if e, isExpression := node.(ast.Expr); isExpression && said == "" {
			said = stringOf(e)
		}
		return said == ""
	})
	return said
}

// called returns a call's function as it is written: package.Function, value.Method or Function.
func called(call *ast.CallExpr) string {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		if on, plain := function.X.(*ast.Ident); plain {
			return on.Name + "." + function.Sel.Name
		}
		return "." + function.Sel.Name
	}
	return ""
}

// stringOf returns the text of a literal, or of literals that are joined by +.
func stringOf(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		said, err := strconv.Unquote(e.Value)
		if e.Kind != token.STRING || err != nil {
			return ""
		}
		return said
	case *ast.BinaryExpr:
		left, right := stringOf(e.X), stringOf(e.Y)
		switch {
		case left == "" && right == "":
			return ""
		case left == "" || right == "":
			return left + "X" + right // the other side is a value
		}
		return left + right
	}
	return ""
}

// testNames reads the names of tests as sentences: TestItEnds is "It ends".
func testNames(t *testing.T) (texts []text) {
	for _, s := range goFiles(t) {
		for _, declaration := range s.file.Decls {
			function, isFunction := declaration.(*ast.FuncDecl)
			if isFunction && function.Recv == nil && strings.HasPrefix(function.Name.Name, "Test") {
				texts = append(texts, text{s.place(function), spaced(strings.TrimPrefix(function.Name.Name, "Test"))})
			}
		}
	}
	return texts
}

// spaced puts blanks between the words of a name.
func spaced(name string) string {
	runes := []rune(name)
	var words strings.Builder
	for i, r := range runes {
		starts := unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if starts {
			words.WriteByte(' ')
		}
		words.WriteRune(r)
	}
	return words.String()
}
