package sourcefiles

import (
	"io"
	"strings"
	"testing"
)

// TestAQuoteThatIsNeverClosedIsNoRow: such a row would take the rest of a file into memory. Short rows pass, however many.
func TestAQuoteThatIsNeverClosedIsNoRow(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("a,b\n"+strings.Repeat("1,2\n", maxLine)+"\"3"), zeros{})
	file, err := openCSV(endless, io.NopCloser(nil), 0)
	if err != nil {
		t.Fatal(err)
	}
	for range maxLine {
		if cells, err := file.next(); err != nil || len(cells) != 2 {
			t.Fatalf("%q, %v", cells, err)
		}
	}
	if _, err := file.next(); err == nil || !strings.Contains(err.Error(), "is a quote not closed?") {
		t.Errorf("got %v", err)
	}
}

// zeros is a file without end.
type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = '0'
	}
	return len(into), nil
}
