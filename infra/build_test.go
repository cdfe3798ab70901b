package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"recsys/infra/local/testbed"
)

// maxZipped is the most bytes of a function as Lambda loads it, because that is a part of the cold start.
const maxZipped = 6 << 20

// heavier are those that may weigh more, and why.
var heavier = map[string]int{
	"api":                   8 << 20,  // huma beside the same SQL
	"extract":               7 << 20,  // writes Parquet beside MySQL, and knows time zones
	"plan-extract":          7 << 20,  // reads MySQL and files, YAML and time zones
	"publish-training-data": 7 << 20,  // reads Parquet beside Glue, whose API is large
	"recommend":             8 << 20,  // its SQL is text/template, with which the linker keeps every exported method, those of EventBridge too
	"vector-index":          7 << 20,  // measures with the SQL of recommend
	"embedding-upload":      7 << 20,  // reads Parquet beside PostgreSQL
	"evaluate":              9 << 20,  // does so, too, and with html/template the linker keeps every exported method
	"export":                11 << 20, // reads PostgreSQL and models, writes Parquet and Glue's tables, with the linker's surplus of recommend
}

func TestFunctionsAreSmall(t *testing.T) {
	build := builtFunctions(t)
	for name := range deployedFunctions(variant(t, "dev")) {
		if size := zippedSize(t, filepath.Join(build.dir, name, "bootstrap")); size > max(maxZipped, heavier[name]) {
			t.Errorf("%s is %d bytes zipped, over %d", name, size, max(maxZipped, heavier[name]))
		} else {
			t.Logf("%-24s %.1f MiB zipped", name, float64(size)/(1<<20))
		}
	}
}

var buildOnce = sync.OnceValues(func() (Build, error) {
	root, err := repositoryRoot()
	if err != nil {
		return Build{}, err
	}
	return BuildFunctions(context.Background(), root)
})

// builtFunctions builds all functions, once for all tests.
func builtFunctions(t *testing.T) Build {
	t.Helper()
	build, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return build
}

// zippedSize is with the usual compression. The CDK's best one makes assets a little smaller and takes three times as long.
func zippedSize(t *testing.T, path string) int {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	archive := zip.NewWriter(&zipped)
	file, err := archive.Create("bootstrap")
	if err == nil {
		_, err = file.Write(content)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return zipped.Len()
}

// Another checkout gives the same binaries, of which the assets are made. Some functions are compared. With -long the cdk
// command synthesizes both checkouts, with no AWS configuration. Then the library's own validation finds nothing, and
// all templates and hashes of assets are the same.
func TestTwoCheckoutsAreDeployedTheSame(t *testing.T) {
	elsewhere := checkout(t)
	if !testbed.Long() {
		sameBinaries(t, builtFunctions(t), elsewhere)
		return
	}
	folder := t.TempDir()
	cli(t, offline, "synth", "--quiet", "--output", folder)
	cliIn(t, elsewhere, offline, "synth", "--quiet", "--output", "cdk.out")
	here, there := assemblyFiles(t, folder), assemblyFiles(t, filepath.Join(elsewhere, "cdk.out"))
	if !slices.Equal(slices.Sorted(maps.Keys(here)), slices.Sorted(maps.Keys(there))) {
		t.Fatalf("assets and templates %v and %v", slices.Sorted(maps.Keys(here)), slices.Sorted(maps.Keys(there)))
	}
	for name := range here {
		if here[name] != there[name] {
			t.Errorf("%s differs", name)
		}
	}
	if len(here) < 3 {
		t.Errorf("only %v", slices.Sorted(maps.Keys(here)))
	}
}

// sameBinaries builds some of the functions elsewhere and compares them with those of a checkout that is built.
func sameBinaries(t *testing.T, here Build, elsewhere string) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(elsewhere, "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	compared := testbed.Spread(folders, 5)
	for _, main := range folders {
		if !slices.Contains(compared, main) {
			if err := os.RemoveAll(filepath.Dir(main)); err != nil {
				t.Fatal(err)
			}
		}
	}
	build, err := BuildFunctions(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	for _, main := range compared {
		name := filepath.Base(filepath.Dir(main))
		there, err := os.ReadFile(filepath.Join(build.dir, name, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		built, err := os.ReadFile(filepath.Join(here.dir, name, "bootstrap"))
		if err != nil || !bytes.Equal(built, there) {
			t.Errorf("%s differs (%v)", name, err)
		}
	}
}

// checkout copies the repository's files that git knows, changes included.
func checkout(t *testing.T) string {
	t.Helper()
	root, err := repositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	git := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	git.Dir = root
	list, err := git.Output()
	if err != nil {
		t.Skip("SKIPPED: this is no git checkout: ", err)
	}
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted and not yet committed
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// assemblyFiles are the templates and the lists of assets by file name, and the assets' names themselves.
func assemblyFiles(t *testing.T, out string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "asset."):
			found[name] = ""
		case strings.HasSuffix(name, ".template.json"), strings.HasSuffix(name, ".assets.json"):
			content, err := fs.ReadFile(os.DirFS(out), name)
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(content) {
				t.Errorf("%s is no JSON", name)
			}
			found[name] = string(content)
		}
	}
	return found
}

// plan-extract's asset has the shop file next to the program, and that of no earlier build.
func TestTheShopFileIsBundled(t *testing.T) {
	build := Build{dir: t.TempDir()}
	compiled := t.TempDir()
	if err := os.WriteFile(filepath.Join(compiled, "plan-extract"), []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sakila", "orders"} {
		if err := layOut(compiled, build.dir, "plan-extract"); err != nil {
			t.Fatal(err)
		}
		if err := build.Bundle("../docs/shops/" + name + ".yaml"); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(build.dir, "plan-extract", "*"))
		if err != nil || len(files) != 2 || filepath.Base(files[0]) != "bootstrap" || filepath.Base(files[1]) != name+".yaml" {
			t.Errorf("files %v, %v", files, err)
		}
	}
	if err := build.Bundle("../docs/shops/none.yaml"); err == nil {
		t.Error("a file that is missing is bundled")
	}
}
