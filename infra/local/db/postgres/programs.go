package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"recsys/infra/local/db/daemon"
	"recsys/infra/local/db/provision"
)

// programs is an installation of PostgreSQL with pgvector.
type programs struct {
	bin     string   // the folder of initdb and postgres
	loader  []string // starts the server, empty except on an old C library
	version string   // names the template, e.g. "17.10"
	major   int
	host    bool // installed by the host's administrator
}

// oldest is the first major version with everything that the vector store's SQL uses.
const oldest = 15

// findPrograms prefers the host's installation to the one that has to be fetched.
func findPrograms(ctx context.Context, cache *provision.Cache) (programs, error) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if config, err := exec.LookPath("pg_config"); err == nil {
		if bin, err := exec.CommandContext(ctx, config, "--bindir").Output(); err == nil {
			bins = append(bins, strings.TrimSpace(string(bin)))
		}
	}
	var found []programs
	for _, bin := range bins {
		if host, ok := hostPrograms(ctx, bin); ok {
			found = append(found, host)
		}
	}
	if len(found) > 0 {
		return slices.MaxFunc(found, func(a, b programs) int { return a.major - b.major }), nil
	}
	fetched, err := cache.PostgreSQL(ctx)
	if err != nil {
		return programs{}, err
	}
	bin := filepath.Join(fetched.Base, "bin")
	major, err := strconv.Atoi(strings.SplitN(fetched.Version, ".", 2)[0])
	if err != nil {
		return programs{}, fmt.Errorf("PostgreSQL's version %q: %w", fetched.Version, err)
	}
	return programs{bin: bin, loader: fetched.Loader, version: fetched.Version, major: major}, nil
}

var versionPrinted = regexp.MustCompile(`\) ((\d+)[.\d]*)`)

// hostPrograms asks the installation in bin for its version, and looks for pgvector in its folders.
func hostPrograms(ctx context.Context, bin string) (programs, bool) {
	printed, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	match := versionPrinted.FindStringSubmatch(string(printed))
	if err != nil || match == nil {
		return programs{}, false
	}
	major, _ := strconv.Atoi(match[2])
	shares := []string{
		filepath.Join("/usr/share/postgresql", match[2]), // Debian
		filepath.Join(bin, "../share/postgresql"), filepath.Join(bin, "../share"),
	}
	hasVector := slices.ContainsFunc(shares, func(share string) bool {
		_, err := os.Stat(filepath.Join(share, "extension", "vector.control"))
		return err == nil
	})
	return programs{bin: bin, version: match[1], major: major, host: true}, hasVector && major >= oldest
}

// server is the command that starts the server, without its arguments.
func (p programs) server() []string {
	return append(slices.Clone(p.loader), filepath.Join(p.bin, "postgres"))
}

// template returns a data directory to copy: initdb takes longer than the copy. No server runs on it. The copy gets a
// password and its own pg_hba.conf. The user's id is in its name, because PostgreSQL opens only files that its own
// user owns.
func (p programs) template(ctx context.Context, cache *provision.Cache) (string, error) {
	name := fmt.Sprintf("postgres-template-%s-user-%d", p.version, os.Geteuid())
	part, err := cache.Part(ctx, name, func(ctx context.Context, dir string) error {
		cache.Progress("making a data directory for PostgreSQL %s", p.version)
		if err := daemon.Own(dir); err != nil {
			return err
		}
		locale := []string{"--no-locale"}
		if p.major >= 17 {
			locale = []string{"--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"}
		}
		arguments := []string{"-D", filepath.Join(dir, "data"), "-U", Superuser, "--auth=trust", "-E", "UTF8", "--no-sync"}
		return daemon.Run(ctx, nil, "", append(append([]string{filepath.Join(p.bin, "initdb")}, arguments...), locale...)...)
	})
	if err != nil {
		return "", fmt.Errorf("making a data directory: %w", err)
	}
	return filepath.Join(part, "data"), nil
}
