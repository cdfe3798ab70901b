package failure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheNameNearestToTheOutsideCounts(t *testing.T) {
	plain := errors.New("disk on fire")
	for _, test := range []struct {
		err       error
		want      Kind
		permanent bool
	}{
		{fmt.Errorf("reading range 7: %w", SourceUnavailable.Wrap(plain)), SourceUnavailable, false},
		{fmt.Errorf("loading: %w", fmt.Errorf("items: %w", InvalidEmbeddings.Wrap(plain))), InvalidEmbeddings, true},
		{InvalidInput.Wrap(VectorStoreUnavailable.Wrap(plain)), InvalidInput, true},
		{SourceUnavailable.Errorf("asking: %w", InvalidInput.Wrap(plain)), SourceUnavailable, false},
		{OutOfTime.Wrap(ObjectStoreUnavailable.Wrap(plain)), OutOfTime, false},
		{errors.Join(plain, SourceShrank.Wrap(plain), InvalidInput.Wrap(plain)), SourceShrank, true},
		{fmt.Errorf("two faults: %w and %w", plain, fmt.Errorf("inner: %w", SchemaMismatch.Wrap(plain))), SchemaMismatch, true},
		{plain, "", false},
		{nil, "", false},
	} {
		if got := KindOf(test.err); got != test.want || IsPermanent(test.err) != test.permanent {
			t.Errorf("%v: %q, permanent %t; want %q, %t", test.err, got, IsPermanent(test.err), test.want, test.permanent)
		}
		if test.want != "" && (!errors.Is(test.err, test.want) || !errors.Is(test.err, plain) || !strings.Contains(test.err.Error(), "disk on fire")) {
			t.Errorf("%v: the kind, the cause or the text is lost", test.err)
		}
	}
	if errors.Is(SourceShrank.Wrap(plain), InvalidInput) {
		t.Error("one kind is taken for another")
	}
}

// People look errors up in the README, and learn from functions/README.md which of them are tried again.
func TestTheDocumentsHaveTheNames(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	readme, functions := read("README.md"), read("functions/README.md")
	rows := 0
	for _, row := range Kinds {
		line := fmt.Sprintf("| `%s` | %s | %s |", row.Kind, row.Meaning, row.Remedy)
		switch {
		case row.Permanent && !strings.Contains(readme, line+"\n"):
			t.Errorf("README.md lacks the row\n%s", line)
		case row.Permanent:
			rows++
		case !strings.Contains(functions, "`"+string(row.Kind)+"`"):
			t.Errorf("functions/README.md does not name %s", row.Kind)
		}
	}
	_, table, _ := strings.Cut(readme, "| error | what it means | what to do |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if got := strings.Count(table, "\n"); got != rows {
		t.Errorf("README.md lists %d errors, there are %d", got, rows)
	}
}
