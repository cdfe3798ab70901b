package provision

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func open(t *testing.T, progress func(string)) *Cache {
	t.Helper()
	cache, err := Open(Config{Root: t.TempDir(), Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	return cache
}

func TestTheRealPartsAreWhole(t *testing.T) {
	cache, err := Open(Config{Progress: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	skip := func(err error) {
		if errors.As(err, new(Unavailable)) && os.Getenv("CI") == "" {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	postgres, err := cache.PostgreSQL(t.Context())
	skip(err)
	mariadb, err := cache.MariaDB(t.Context())
	skip(err)
	for _, file := range []string{
		postgres.Base + "/share/postgresql/extension/vector.control", postgres.Base + "/lib/libpq.so.5", mariadb.Base + "/sbin/mariadbd",
	} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	if postgres.Version == "" || mariadb.Version == "" {
		t.Errorf("the versions are %q and %q", postgres.Version, mariadb.Version)
	}
}

func TestAPartIsMadeOnceAndTheOthersWait(t *testing.T) {
	var mu sync.Mutex
	waiting := make(chan struct{}, 8)
	made := 0
	cache := open(t, func(line string) {
		if strings.Contains(line, "waiting for it") {
			waiting <- struct{}{}
		}
	})
	fill := func(_ context.Context, dir string) error {
		mu.Lock()
		made++
		mu.Unlock()
		<-waiting // until another has come
		return os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			part, err := cache.Part(t.Context(), "part", fill)
			if err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(part, "file")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made != 1 {
		t.Errorf("the part was made %d times", made)
	}
}

func TestAPartThatFailedIsNotThere(t *testing.T) {
	cache := open(t, nil)
	broken := errors.New("broken")
	// The remains of a process that is killed while it fills the part.
	leftover := filepath.Join(cache.dir, "part"+unfinishedMark+"1")
	if err := os.MkdirAll(leftover, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Part(t.Context(), "part", func(context.Context, string) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(cache.dir, "part*"))
	if err != nil || len(left) != 1 || filepath.Ext(left[0]) != ".lock" {
		t.Errorf("the cache holds %v (%v)", left, err)
	}
}

func TestAMissingPartIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	cache := open(t, nil)
	_, err := cache.MariaDB(t.Context())
	if !errors.As(err, new(Unavailable)) || !strings.Contains(err.Error(), "MYSQL_DSN") {
		t.Errorf("without apt-get: %v", err)
	}
	_, err = cache.PostgreSQL(t.Context())
	if !errors.As(err, new(Unavailable)) || !strings.Contains(err.Error(), "DATABASE_URL") || !strings.Contains(err.Error(), "npm") {
		t.Errorf("without npm: %v", err)
	}
}

func TestAPartThatCannotBeHadIsNotAskedForAtOnceAgain(t *testing.T) {
	path := os.Getenv("PATH")
	t.Setenv("PATH", t.TempDir())
	cache := open(t, nil)
	_, first := cache.MySQL(t.Context())
	t.Setenv("PATH", path)
	_, second := cache.MySQL(t.Context())
	if !errors.As(first, new(Unavailable)) || !errors.As(second, new(Unavailable)) || !strings.Contains(second.Error(), "a moment ago") ||
		!strings.Contains(second.Error(), "(delete "+filepath.Join(cache.dir, "mysql-"+runtime.GOARCH+".refused")+" to ask again)") {
		t.Errorf("without apt-get: %v, then %v", first, second)
	}
}

func TestNodeModulesAreComparedWithTheLockfile(t *testing.T) {
	cache := open(t, nil)
	lock := `{"packages":{"":{"version":"1"},"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"2.0.0","optional":true}}}`
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(cache.root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("package-lock.json", lock)
	if cache.installed() {
		t.Error("nothing is installed")
	}
	for present, want := range map[string]bool{
		`{"packages":{"node_modules/a":{"version":"1.0.0"}}}`:                                      true,
		`{"packages":{"node_modules/a":{"version":"1.0.1"}}}`:                                      false,
		`{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"1.9.0"}}}`: false,
		`{"packages":{}}`: false,
		`{"packages":`:    false,
	} {
		write("node_modules/.package-lock.json", present)
		if got := cache.installed(); got != want {
			t.Errorf("%s: %v, want %v", present, got, want)
		}
	}
}
