package platform

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"recsys/infra/local/db/provision"
	"recsys/infra/local/sample"
	"recsys/shared/contract/lake"
)

const embeddings = `{"stages":"embeddings"}`

// Hand-overs that cannot become a version: each is refused with the place of the fault, and the active version goes
// on answering, word for word.
func TestBadEmbeddings(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) { c.SourceSQL = []string{looseShop(t)} })
	upload(t, p, sample.Artifacts())
	if out, failed := execute(t, p, "good", 0, embeddings); failed != nil || out.Embeddings.Index.Version != 1 {
		t.Fatalf("the good hand-over: %+v, %v", out, failed)
	}
	sessions := strings.Split(strings.TrimSpace(string(sample.Sessions())), "\n")[:10]
	good := ask(t, p, sessions...)
	if len(good[0].Recommended) != 5 || good[0].Recommendation.Strategy != "model" {
		t.Fatalf("answered with %+v", good[0])
	}

	const items, users = lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey
	n := 0
	refused := func(name string, spoil func(t *testing.T, files fstest.MapFS), want ...string) {
		n++
		t.Run(name, func(t *testing.T) {
			files := filesOf(t, sample.Artifacts())
			spoil(t, files)
			upload(t, p, files)
			run := fmt.Sprintf("bad-%d", n)
			_, failed := execute(t, p, run, n, embeddings)
			wantFailure(t, failed, "InvalidEmbeddings", want...)
			if failed != nil && regexp.MustCompile(`0\.\d{3}`).MatchString(failed.Message()) {
				t.Errorf("the message holds numbers of vectors:\n%s", failed.Message())
			}
			wantStillActive(t, p, 1)
			for i, answer := range ask(t, p, sessions...) {
				answer.Recommendation.EventID, answer.Recommendation.GeneratedAt = good[i].Recommendation.EventID, good[i].Recommendation.GeneratedAt
				if !reflect.DeepEqual(answer, good[i]) {
					t.Fatalf("session %d is answered with %+v, before %+v", i, answer, good[i])
				}
			}
		})
	}
	refused("wrong dimension", atLine(items, 5, func(l string) string { return strings.Replace(l, "]", ",1]", 1) }),
		items+" line 5: 33 numbers, the first embedding of the items has 32")
	refused("NaN", atLine(items, 6, withFirst("NaN")), items+" line 6: number 1 is not finite")
	refused("Inf", atLine(users, 7, withFirst("-Infinity")), users+" line 7: number 1 is not finite")
	refused("all zeros", atLine(items, 8, func(l string) string { return idOf(l) + `,"[0` + strings.Repeat(",0", 31) + `]"` }),
		items+" line 8: all numbers are zero")
	refused("duplicate id", atLine(users, 9, func(l string) string { return "262" + l[strings.Index(l, ","):] }, atFirst("262")),
		users+" line 9: id 262 stands in line 2 already")
	refused("unterminated quote", atLine(items, 10, func(l string) string { return strings.TrimSuffix(l, `"`) }),
		items+" line 10: unterminated quote")
	refused("all at once, in both files", func(t *testing.T, files fstest.MapFS) {
		for line := 40; line < 55; line++ {
			atLine(items, line, withFirst("nan"))(t, files)
			atLine(users, line, withFirst("x"))(t, files)
		}
	}, "30 bad lines:", items+" line 40: number 1 is not finite", items+" line 54:", users+" line 44: number 1 is no number", "and 10 more")
	refused("empty file", func(_ *testing.T, files fstest.MapFS) { files[users].Data = nil }, users+" line 1: the file is empty")
	refused("header alone", func(_ *testing.T, files fstest.MapFS) { files[items].Data = []byte("id,embedding\n") },
		items+" line 1: there is no embedding in the file")
	refused("missing file", func(_ *testing.T, files fstest.MapFS) { delete(files, users) }, users+" is missing")
	refused("truncated model", func(_ *testing.T, files fstest.MapFS) {
		files[lake.ModelKey].Data = files[lake.ModelKey].Data[:len(files[lake.ModelKey].Data)/2]
	}, lake.ModelKey)
	refused("pickled module", func(t *testing.T, files fstest.MapFS) { files[lake.ModelKey].Data = pickledModule(t) },
		lake.ModelKey, "__main__.TwoTower", "torch.save(model.state_dict()")

	// The numbers of the failed versions stay theirs. A missing file was never numbered.
	upload(t, p, newHandOver("next", 16, 1).files)
	out, failed := execute(t, p, "mended", n+1, embeddings)
	if failed != nil || out.Embeddings.Index.Status != "activated" || out.Embeddings.Index.Version != int64(n+1) {
		t.Errorf("mended: %+v, %v, want version %d", out, failed, n+1)
	}
}

// wantStillActive wants this version active, all above it failed with their reasons, and nothing loaded of them.
func wantStillActive(t *testing.T, p *Platform, version int64) {
	t.Helper()
	var active, unexplained, tables int64
	inVectorStore(t, p, `select (select version from recsys.embedding_version where status = 'active'),
		(select count(*) from recsys.embedding_version where version > 1 and (status <> 'failed' or failure not like '%line %' and failure not like '%model%')),
		(select count(*) from pg_tables where schemaname = 'recsys' and tablename like 'item\_emb\_%')`,
		&active, &unexplained, &tables)
	if active != version || unexplained != 0 || tables != 1 {
		t.Errorf("version %d is active, %d of the others are not marked as failed, %d versions have tables", active, unexplained, tables)
	}
}

// atLine changes a line, 1-based, of one file, after other changes.
func atLine(file string, line int, change func(string) string, first ...func([]string)) func(*testing.T, fstest.MapFS) {
	return func(_ *testing.T, files fstest.MapFS) {
		lines := strings.Split(string(files[file].Data), "\n")
		for _, change := range first {
			change(lines)
		}
		lines[line-1] = change(lines[line-1])
		files[file].Data = []byte(strings.Join(lines, "\n"))
	}
}

// atFirst gives the first embedding another id.
func atFirst(id string) func([]string) {
	return func(lines []string) { lines[1] = id + lines[1][strings.Index(lines[1], ","):] }
}

func idOf(line string) string { return line[:strings.Index(line, ",")] }

var firstNumber = regexp.MustCompile(`\[[^,]*`)

// withFirst puts something in the place of a vector's first number.
func withFirst(number string) func(string) string {
	return func(line string) string { return firstNumber.ReplaceAllString(line, "["+number) }
}

// pickledModule is a model as torch.save(model) writes it, by the real PyTorch: one of the fixtures of shared/learn/model.
func pickledModule(t *testing.T) []byte {
	t.Helper()
	root, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(filepath.Join(root, "shared", "learn", "model", "testdata", "fixtures.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if err != nil {
			t.Fatalf("looking for the fixture: %v", err)
		}
		if header.Name == "refused/module.pth" {
			var module bytes.Buffer
			if _, err := module.ReadFrom(archive); err != nil {
				t.Fatal(err)
			}
			return module.Bytes()
		}
	}
}
