package sqlfile

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// statementsOf reads all of a text, each statement as "line: statement".
func statementsOf(text string) (statements []string, err error) {
	s := NewSplitter(strings.NewReader(text))
	for {
		statement, line, err := s.Next()
		if err == io.EOF {
			return statements, nil
		}
		if err != nil {
			return statements, err
		}
		statements = append(statements, fmt.Sprintf("%d: %s", line, statement))
	}
}

func TestAFileIsCutAtItsSemicolons(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", " \n ; ;\n", nil},
		{"one a line", "A;\nB;\n\n C \n;", []string{"1: A", "2: B", "4: C"}},
		{"the last without a semicolon", "A;B", []string{"1: A", "1: B"}},
		{"quotes", `A 'x;y' "x;'y" ` + "`x;\"y`;B", []string{`1: A 'x;y' "x;'y" ` + "`x;\"y`", "1: B"}},
		{"a doubled quote", "A 'it''s; so';B", []string{"1: A 'it''s; so'", "1: B"}},
		{"an escaped quote", `A 'it\'s; \\';B`, []string{`1: A 'it\'s; \\'`, "1: B"}},
		{"no escapes in a name", "A `x\\`;B", []string{"1: A `x\\`", "1: B"}},
		{"a line's end in quotes", "A 'x\ny';\nB", []string{"1: A 'x\ny'", "3: B"}},
		{"comments", "-- x; it's\nA # y; \"\n/* z; ' */B;--\nC", []string{"2: A   B", "4: C"}},
		{"no comments", "A 5--1, '--', '#', '/*';B", []string{"1: A 5--1, '--', '#', '/*'", "1: B"}},
		{"a short comment", "/**/A /*/ x */;B", []string{"1: A", "1: B"}},
		{"comments that the server executes", "/*!40101 SET a=';*/' */;/*M!100 B*/;", []string{"1: /*!40101 SET a=';*/' */", "1: /*M!100 B*/"}},
		{"a semicolon that the server executes", "/*!5 BEGIN A; B; END */;C", []string{"1: /*!5 BEGIN A; B; END */", "1: C"}},
		{"comments in comments that the server executes", "/*!5 A -- it's\n/* so; ' */ # \"\nB */;C", []string{"1: /*!5 A     B */", "3: C"}},
		{"a comment for a server to come", "/*M!999999\\- enable the sandbox mode */\nA;", []string{"2: A"}},
		{"DELIMITER", "A;\nDELIMITER ;;\nBEGIN B; 'x;;'; END ;;\ndelimiter ;\nC;", []string{"1: A", "3: BEGIN B; 'x;;'; END", "5: C"}},
		{"DELIMITER with a carriage return", "DELIMITER $$\r\nA; B$$\r\nDELIMITER ;\r\nC;", []string{"2: A; B", "4: C"}},
		{"a delimiter like a comment", "DELIMITER //\nA / B; /* x */ C//\nD//", []string{"2: A / B;   C", "3: D"}},
		{"USE without an end", "USE a\nB;use `b`;USE\tc;", []string{"1: USE a", "2: B", "2: use `b`", "2: USE\tc"}},
		{"messages", "mysqldump: [Warning] it's insecure;\nA;\nmysqldump: Error: 'x'\nB;", []string{"2: A", "4: B"}},
		{"a prompt", "Enter password: A;", []string{"1: A"}},
		{"a carriage return", "A;\r\nB;\r\n", []string{"1: A", "2: B"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := statementsOf(c.text)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
		})
	}
}

func TestAFileThatEndsEarlyIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"A;\nB 'x":      "quotes of the statement that starts on line 2",
		"A;\n\nB '\\":   "quotes of the statement that starts on line 3",
		"A;\n/* x":      "comment that starts on line 2",
		"A;\n/*!40 SET": "comment of the statement that starts on line 2",
	} {
		if _, err := statementsOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v, want %q", text, err, want)
		}
	}
}

func TestABackslashMayBeALetter(t *testing.T) {
	s := NewSplitter(strings.NewReader(`A 'x\';B 'y\';`))
	s.PlainBackslashes = true
	for _, want := range []string{`A 'x\'`, `B 'y\'`} {
		if got, _, err := s.Next(); err != nil || string(got) != want {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
	}
}

func TestALongStatementIsRefused(t *testing.T) {
	s := NewSplitter(io.MultiReader(strings.NewReader("A;\nB "), endless{}))
	s.limit = 1 << 20
	if _, _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Next(); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("an endless statement gave %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

var noLines = regexp.MustCompile(`(?i)delimiter|use|mysql|mariadb|warning|enter`)

// Statements that are cut and put together again are cut in the same places.
func FuzzSplitter(f *testing.F) {
	f.Add("A 'x;y'; /*! B */; -- c\n D `;` \"\\\"\";")
	f.Add("A /*/ */ # x")
	f.Fuzz(func(t *testing.T, text string) {
		cut, err := statementsOf(text)
		// Putting together changes the bytes after two dashes, a message or a command, and with them the meaning.
		if err != nil || strings.Contains(text, "--") || len(noLines.FindString(text)) > 0 {
			return
		}
		var joined strings.Builder
		for _, statement := range cut {
			_, statement, _ = strings.Cut(statement, ": ")
			joined.WriteString(statement + "\n;\n")
		}
		again, err := statementsOf(joined.String())
		if err != nil || len(again) != len(cut) {
			t.Errorf("%q was cut into %d, and then into %d (%v)", text, len(cut), len(again), err)
		}
	})
}

func BenchmarkSplitter(b *testing.B) {
	insert := []byte("INSERT INTO ratings VALUES " + strings.Repeat("(103,'S10_2016',3),", 50000) + "(103,'S10_2016',3);\n")
	b.SetBytes(int64(len(insert)))
	b.ReportAllocs()
	for b.Loop() {
		s := NewSplitter(bytes.NewReader(insert))
		if _, _, err := s.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
