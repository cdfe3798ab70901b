package workflow

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/settings"
)

// A range lies on the scratch disk while it is read, so each function that reads or writes one needs the room.
func TestFunctionsWithRangesHaveRoomForOne(t *testing.T) {
	with := 0
	for _, step := range Steps(Resources{}, settings.Options{}) {
		list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{join .Imports "\n"}}`, "recsys/functions/"+step.Name)
		output, err := list.Output()
		if err != nil {
			t.Fatalf("listing what %s imports: %v", step.Name, err)
		}
		imports := strings.Fields(string(output))
		if !slices.Contains(imports, "recsys/shared/shop/training") && !slices.Contains(imports, "recsys/shared/shop/interactions") {
			continue
		}
		with++
		if step.ScratchMiB < rangeScratchMiB {
			t.Errorf("%s has %d MiB of scratch disk, want %d", step.Name, step.ScratchMiB, rangeScratchMiB)
		}
	}
	if with < 6 {
		t.Errorf("only %d functions read or write ranges", with)
	}
}
