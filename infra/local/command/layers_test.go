package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestLayers holds the imports to the rules of docs/architecture.md, section "The house". Tests are exempt.
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

// floors are the wings of shared, from the bottom up. A package imports its own floor and the floors below it.
var floors = []string{"contract", "learn", "stream", "runtime", "store", "shop", "serving"}

// floor returns the index of a package's wing, or -1 for a package outside of shared.
func floor(path string) int {
	return slices.IndexFunc(floors, func(wing string) bool { return strings.HasPrefix(path, "recsys/shared/"+wing+"/") })
}

// inputs are packages that open files, connections or AWS. Packages of the pure wings get readers instead.
var inputs = []string{"os", "net", "net/http", "database/sql", "github.com/aws/aws-sdk-go-v2/", "github.com/jackc/pgx/"}

// pure are the wings that do no input and no output, with the packages that have a reason to.
var pure = map[string][]string{
	"recsys/shared/contract/": {"recsys/shared/contract/settings"}, // reads the environment, once
	"recsys/shared/learn/":    nil,
	"recsys/shared/stream/":   nil,
}

func forbidden(importer, imported string) string {
	in := func(layer string) bool { return strings.HasPrefix(importer, "recsys/"+layer) }
	of := func(layer string) bool { return strings.HasPrefix(imported, "recsys/"+layer) }
	switch {
	case in("shared") && (of("functions") || of("infra") || of("statemachines")):
		return "shared knows nobody above it"
	case in("shared") && of("shared") && floor(imported) > floor(importer):
		return "a wing of shared imports only the wings below it: " + strings.Join(floors, ", ")
	case in("functions") && (of("functions") || of("infra")):
		return "a function stands alone"
	case !in("infra") && (strings.Contains(imported, "aws-cdk-go") || strings.Contains(imported, "jsii")):
		return "only infra may import the CDK: a Lambda stays small"
	case of("infra/local/testbed") && !in("infra/local/testbed"):
		return "only tests import the test bed"
	}
	for wing, exceptions := range pure {
		if strings.HasPrefix(importer, wing) && !slices.Contains(exceptions, importer) && isInput(imported) {
			return "this wing does no input and output"
		}
	}
	return ""
}

func isInput(path string) bool {
	return slices.ContainsFunc(inputs, func(input string) bool {
		return path == input || strings.HasSuffix(input, "/") && strings.HasPrefix(path, input)
	})
}

func TestForbidden(t *testing.T) {
	for _, test := range []struct {
		importer, imported string
		want               bool
	}{
		{"recsys/shared/contract/lake", "recsys/functions/extract", true},
		{"recsys/functions/extract", "recsys/infra/local/aws/s3", true},
		{"recsys/functions/extract", "recsys/functions/transform", true},
		{"recsys/functions/extract", "github.com/aws/aws-cdk-go/awscdk/v2", true},
		{"recsys/functions/extract", "recsys/shared/contract/lake", false},
		{"recsys/infra/local/platform", "recsys/shared/contract/lake", false},
		{"recsys/shared/learn/als", "recsys/shared/shop/training", true},
		{"recsys/shared/shop/interactions", "recsys/shared/learn/sparse", false},
		{"recsys/shared/learn/als", "os", true},
		{"recsys/shared/contract/lake", "github.com/aws/aws-sdk-go-v2/service/s3", true},
		{"recsys/shared/store/objectstore", "os", false},
		{"recsys/infra/local/platform", "recsys/infra/local/testbed/pgwire", true},
		{"recsys/infra/local/testbed/mysqltest", "recsys/infra/local/testbed", false},
	} {
		if got := forbidden(test.importer, test.imported) != ""; got != test.want {
			t.Errorf("%s imports %s: forbidden %t, want %t", test.importer, test.imported, got, test.want)
		}
	}
}
