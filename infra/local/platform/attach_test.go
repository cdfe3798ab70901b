package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/postgrestest"
)

// One that was killed leaves its list of endpoints behind, and the kernel frees its lock.
func TestAttachFindsTheLivingOnly(t *testing.T) {
	state := t.TempDir()
	p := &Platform{config: Config{StateDir: state}, Client: &Client{Endpoints: Endpoints{S3: "http://127.0.0.1:1"}}}
	unlock, err := Lock(state)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(t.Context(), state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that publishes nothing was found: %v", err)
	}
	if err := p.Publish(); err != nil {
		t.Fatal(err)
	}
	if client, err := Attach(t.Context(), state); err != nil || client.Endpoints.S3 != p.Endpoints.S3 {
		t.Errorf("the living one was not found: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(t.Context(), state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dead one was found: %v", err)
	}
	if _, err := os.Stat(endpointsFile(state)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead one's endpoints stay: %v", err)
	}
}

// The private MySQL of an earlier start outlives a start that reads another.
func TestAGivenSourceLeavesThePrivateOneAlone(t *testing.T) {
	state := t.TempDir()
	kept := filepath.Join(state, "mysql", "data", "kept")
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o755), os.WriteFile(kept, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	p := &Platform{
		config: Config{StateDir: state, Environment: Environment{MySQLDSN: mysqltest.ForTest(t).DSN()}}, Client: &Client{},
	}
	if err := p.rememberSource(loadedSource{Fingerprint: "an earlier one"}); err != nil {
		t.Fatal(err)
	}
	if err := p.startSource(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); err != nil || p.loadedSource().Fingerprint != "an earlier one" {
		t.Errorf("the private MySQL is gone: %v", err)
	}
	if p.Endpoints.Source != p.config.Environment.MySQLDSN {
		t.Errorf("the source is another than MYSQL_DSN")
	}
}

func TestWhichShopIsLoaded(t *testing.T) {
	dump := looseShop(t)
	own := loadedSource{Fingerprint: "own"}
	older := loadedSource{Fingerprint: samplePrefix + "older"}
	for _, test := range []struct {
		name             string
		have             loadedSource
		dumps            []string
		keeps, samplesIn bool
	}{
		{"nothing is there", loadedSource{}, nil, false, true},
		{"a dump stays", own, nil, true, false},
		{"a dump in the place of another", own, []string{dump}, false, false},
		{"an older sample", older, nil, false, true},
		{"a dump in the place of the sample", older, []string{dump}, false, false},
	} {
		p := &Platform{config: Config{StateDir: t.TempDir(), SourceSQL: test.dumps}}
		want, err := p.wantedSource(test.have)
		if err != nil {
			t.Fatal(err)
		}
		if keeps := want.Fingerprint == test.have.Fingerprint; keeps != test.keeps || want.isSample() != test.samplesIn {
			t.Errorf("%s: %+v becomes %+v", test.name, test.have, want)
		}
	}
}

func TestOnePlatformAtATimeOnAGivenDatabase(t *testing.T) {
	owner, err := postgrestest.ForTest(t).NewDatabase(t.Context(), "given")
	if err != nil {
		t.Fatal(err)
	}
	platform := func() *Platform {
		return &Platform{config: Config{StateDir: t.TempDir(), Environment: Environment{DatabaseURL: owner}}, Client: &Client{}}
	}
	first, second := platform(), platform()
	if err := first.startVectorStore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.startVectorStore(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("a second one started: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	conn, err := pgx.Connect(t.Context(), first.Endpoints.VectorStore)
	if err != nil {
		t.Fatalf("the first one's password is no more: %v", err)
	}
	conn.Close(t.Context())
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	third := platform()
	if err := third.startVectorStore(t.Context()); err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}
