package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"recsys/shared/learn/evaluation"
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

// The legend of all contenders fits into its panel, and no name reaches into the next.
func TestPictureHasRoomForTheLegend(t *testing.T) {
	var p picture
	p.add(cutoffChart("ndcg", "NDCG", example().contenders(), func(f evaluation.Figures) float64 { return f.NDCG }))
	legend := p.Panels[0].Legend
	for i, entry := range legend {
		end, limit := float64(entry.TextX)+0.6*11.5*float64(len(entry.Name)), float64(panelWidth)
		if i+1 < len(legend) {
			limit = float64(legend[i+1].X) - 4
		}
		if end > limit+1 {
			t.Errorf("%s ends at %.0f, want %.0f", entry.Name, end, limit)
		}
	}
	if len(legend) != 5 {
		t.Errorf("%d names, want 5", len(legend))
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
