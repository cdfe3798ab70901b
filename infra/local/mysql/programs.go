package mysql

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"recsys/infra/local/daemon"
	"recsys/infra/local/provision"
)

// programs is an installation of MariaDB or MySQL.
type programs struct {
	daemon      string // mariadbd or mysqld
	base        string // the folder with bin and share
	libraryPath string // empty for the host's own
	version     string // names the template
	mariadb     bool
}

// findPrograms prefers the host's installation to the one that has to be fetched.
func findPrograms(ctx context.Context, cache *provision.Cache) (programs, error) {
	for _, name := range []string{"mariadbd", "mysqld", "/usr/sbin/mariadbd", "/usr/sbin/mysqld"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if host, ok := hostPrograms(ctx, path); ok {
			return host, nil
		}
	}
	fetched, err := cache.MariaDB(ctx)
	if err != nil {
		return programs{}, err
	}
	return programs{
		daemon: filepath.Join(fetched.Base, "sbin", "mariadbd"), base: fetched.Base,
		libraryPath: fetched.LibraryPath, version: fetched.Version, mariadb: true,
	}, nil
}

var versionPrinted = regexp.MustCompile(`Ver (\S+)`)

func hostPrograms(ctx context.Context, path string) (programs, bool) {
	printed, err := exec.CommandContext(ctx, path, "--no-defaults", "--version").Output()
	match := versionPrinted.FindStringSubmatch(string(printed))
	if err != nil || match == nil {
		return programs{}, false
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return programs{}, false
	}
	host := programs{daemon: path, base: filepath.Dir(filepath.Dir(path)), version: match[1], mariadb: strings.Contains(match[1], "MariaDB")}
	if host.mariadb {
		_, err = os.Stat(host.installer())
	}
	return host, err == nil
}

// installer is the script that makes MariaDB's data directory.
func (p programs) installer() string { return filepath.Join(p.base, "bin", "mariadb-install-db") }

// server is the command that starts the server, without the data directory's arguments.
func (p programs) server() []string {
	return []string{p.daemon, "--no-defaults", "--basedir=" + p.base}
}

func (p programs) env() []string {
	if p.libraryPath == "" {
		return nil
	}
	return []string{"LD_LIBRARY_PATH=" + p.libraryPath}
}

var unfitForPath = regexp.MustCompile(`[^\w.]+`)

// template returns a data directory to copy: making one takes longer than the copy. It holds the user's id
// in its name since the server opens only what its own user can write.
func (p programs) template(ctx context.Context, cache *provision.Cache) (string, error) {
	name := fmt.Sprintf("mysql-template-%s-user-%d", unfitForPath.ReplaceAllString(p.version, "-"), os.Geteuid())
	part, err := cache.Part(ctx, name, func(ctx context.Context, dir string) error {
		cache.Progress("making a data directory for MySQL %s", p.version)
		if err := daemon.Own(dir); err != nil {
			return err
		}
		return daemon.Run(ctx, p.env(), "", p.install(filepath.Join(dir, "data"))...)
	})
	if err != nil {
		return "", fmt.Errorf("making a data directory: %w", err)
	}
	return filepath.Join(part, "data"), nil
}

// install is the command that makes a data directory in which root has no password yet. The small log keeps the copy quick.
func (p programs) install(data string) []string {
	if !p.mariadb {
		return append(p.server(), "--initialize-insecure", "--datadir="+data)
	}
	return []string{
		p.installer(), "--no-defaults", "--basedir=" + p.base, "--datadir=" + data, "--innodb-log-file-size=16M",
		"--auth-root-authentication-method=normal", "--skip-test-db",
	}
}
