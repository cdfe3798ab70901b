package workflow

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"recsys/shared/contract/settings"
)

// ranges are the words of a function that reads or writes the rows of a range.
var ranges = regexp.MustCompile(`lake\.(Range|Raw)Key|interactions\.Read|training\.OpenTable`)

// A range lies on the scratch disk while it is read, so each function that reads or writes one needs the room.
func TestFunctionsWithRangesHaveRoomForOne(t *testing.T) {
	with := 0
	for _, step := range Steps(Resources{}, settings.Options{}) {
		if !ranges.MatchString(source(t, step.Name)) {
			continue
		}
		with++
		if step.ScratchMiB < rangeScratchMiB {
			t.Errorf("%s has %d MiB of scratch disk, want %d", step.Name, step.ScratchMiB, rangeScratchMiB)
		}
	}
	if with != 8 {
		t.Errorf("%d functions read or write ranges, want 8", with)
	}
}

// source returns a function's program.
func source(t *testing.T, function string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "functions", function, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("functions/%s has %d files, %v", function, len(files), err)
	}
	var program strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		program.Write(text)
	}
	return program.String()
}

func TestPlaceholdersFollowFromNames(t *testing.T) {
	placeholders := Placeholders()
	if placeholders["PublishTrainingDataFunction"] != "publish-training-data" || placeholders["TrainFunction"] != "train" || len(placeholders) != 10 {
		t.Errorf("got %v", placeholders)
	}
}
