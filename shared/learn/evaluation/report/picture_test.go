package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestPictureIsAnImageOfTheFigures(t *testing.T) {
	var drawn bytes.Buffer
	if err := example().WriteSVG(&drawn); err != nil {
		t.Fatal(err)
	}
	elements := parse(t, drawn.String())
	if elements[0].name != "svg" || elements[0].attributes["xmlns"] != "http://www.w3.org/2000/svg" {
		t.Errorf("the root is %+v", elements[0])
	}
	shown := strings.Join(texts(elements, "text"), "\n")
	for _, want := range []string{"Evaluation of version 8: Passed", "3.35 times", "NDCG@10", "0.412", "NDCG by length of the list", "Random"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the picture does not show %q:\n%s", want, shown)
		}
	}
}

func TestPictureOfTheSameFiguresIsTheSame(t *testing.T) {
	var first, second bytes.Buffer
	r := example()
	if err := r.WriteSVG(&first); err != nil {
		t.Fatal(err)
	}
	r.Run, r.Snapshot, r.EvaluatedAt = "another", "another", r.EvaluatedAt.Add(time.Hour)
	if err := r.WriteSVG(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the picture depends on the run")
	}
}

func TestPictureOfNothingIsRefused(t *testing.T) {
	if err := (&Report{Run: "empty"}).WriteSVG(io.Discard); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("got %v", err)
	}
}
