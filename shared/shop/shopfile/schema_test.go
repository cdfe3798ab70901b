package shopfile

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

const schemaPath = "../../../docs/shops/shop.schema.json"

// editor compiles the schema that editors check shop files with.
func editor(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// finds reports whether the schema finds a mistake in a shop file.
func finds(t *testing.T, schema *jsonschema.Schema, content string) bool {
	t.Helper()
	var tree any
	if err := yaml.Load([]byte(content), &tree); err != nil {
		return true // an editor shows that it is no YAML
	}
	return schema.Validate(tree) != nil
}

func TestTheSchemaPassesRightFiles(t *testing.T) {
	schema := editor(t)
	contents := []string{sakila, least}
	for _, path := range shipped(t) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(content), "# yaml-language-server: $schema=shop.schema.json\n") {
			t.Errorf("%s names no schema in its first line", path)
		}
		contents = append(contents, string(content))
	}
	for _, content := range contents {
		var tree any
		if err := yaml.Load([]byte(content), &tree); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(tree); err != nil {
			t.Errorf("%.60s…: %v", content, err)
		}
	}
}

// beyondSchema are the mistakes of TestMistakesHaveALineAndARemedy that no schema finds, because they are about two places, or
// about SQL.
var beyondSchema = []string{
	"timezone: Berlin", "{{range a}} OR {{range b}}", "/* {{range r.customer_id}} */ 1", "{{range r.customer_id + 1}}",
	"{{range r.customer_id}}; DROP TABLE rental", "DELETE film_id AS product, title",
	"{{range r.customer_id}}) q, (SELECT 1", "({{range r.customer_id}};",
	"{{range r.customer_id}} /*!50000 OR TRUE */", "{{range r.customer_id}} /*M! OR TRUE */",
	"email: text", "last_name: text", "Type: category", "Genre: category",
	"group: since", "title: name, also: name", "line: title", "halfLife: 0d",
	"partitions: &a customer", "partitions: !!str customer",
	"TRUE", "{{range}}", // the query has another placeholder, in its comment
}

func TestTheSchemaFindsTheMistakesThatOnePlaceShows(t *testing.T) {
	schema := editor(t)
	for _, m := range mistakes {
		content := strings.Replace(sakila, m.old, m.new, 1)
		if want := !slices.Contains(beyondSchema, m.new); finds(t, schema, content) != want {
			t.Errorf("%s: found %t, want %t", m.new, !want, want)
		}
	}
}

// Each key and each choice is written twice: for editors, and in this package.
func TestTheSchemaHasTheKeysOfTheParser(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			Properties    map[string]struct{ Enum []string }
			PropertyNames struct{ Enum []string } `yaml:"propertyNames"`
		}
	}
	content, err := os.ReadFile(schemaPath)
	if err == nil {
		err = yaml.Load(content, &schema) // JSON is YAML
	}
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, reason := range training.ReasonsOfFiles {
		reasons = append(reasons, string(reason))
	}
	if got := schema.Properties["rules"].PropertyNames.Enum; !slices.Equal(got, reasons) {
		t.Errorf("rules %q,\nwant  %q", got, reasons)
	}
	if got := schema.Properties["customers"].Properties["id"].Enum; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(maps.Keys(idTypes))) {
		t.Errorf("ids %v", got)
	}
}

// docs/source.md has a row for each reason, with its default.
func TestTheDocumentsListTheRules(t *testing.T) {
	content, err := os.ReadFile("../../../docs/source.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range training.ReasonsOfFiles {
		row := fmt.Sprintf("| `%s` | %s |", reason, training.RuleFor(shape.Shop{Source: shape.Source{Interactions: make([]shape.Query, 1)}}, reason))
		if !strings.Contains(string(content), row) {
			t.Errorf("docs/source.md has no row %s", row)
		}
	}
}
