package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// The layers of the README: what may import what, tests aside.
func TestLayers(t *testing.T) {
	packages := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "recsys/...")
	output, err := packages.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var listed struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		for _, imported := range listed.Imports {
			if why := forbidden(listed.ImportPath, imported); why != "" {
				t.Errorf("%s imports %s: %s", listed.ImportPath, imported, why)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

func forbidden(importer, imported string) string {
	in := func(layer string) bool { return strings.HasPrefix(importer, "recsys/"+layer) }
	of := func(layer string) bool { return strings.HasPrefix(imported, "recsys/"+layer) }
	switch {
	case in("shared") && (of("functions") || of("infra") || of("statemachines")):
		return "shared knows nobody above it"
	case in("functions") && (of("functions") || of("infra")):
		return "a function stands alone"
	case !in("infra") && (strings.Contains(imported, "aws-cdk-go") || strings.Contains(imported, "jsii")):
		return "only infra may import the CDK: a Lambda stays small"
	}
	return ""
}

func TestForbidden(t *testing.T) {
	for _, test := range []struct {
		importer, imported string
		want               bool
	}{
		{"recsys/shared/lake", "recsys/functions/extract", true},
		{"recsys/functions/extract", "recsys/infra/local/s3", true},
		{"recsys/functions/extract", "recsys/functions/transform", true},
		{"recsys/functions/extract", "github.com/aws/aws-cdk-go/awscdk/v2", true},
		{"recsys/functions/extract", "recsys/shared/lake", false},
		{"recsys/infra/local/platform", "recsys/shared/lake", false},
	} {
		if got := forbidden(test.importer, test.imported) != ""; got != test.want {
			t.Errorf("%s imports %s: forbidden %t, want %t", test.importer, test.imported, got, test.want)
		}
	}
}
