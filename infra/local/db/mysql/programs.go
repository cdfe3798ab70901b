package mysql

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"recsys/infra/local/db/daemon"
	"recsys/infra/local/db/provision"
)

// programs is an installation of MySQL or MariaDB.
type programs struct {
	engine      Engine
	loader      []string // the command in front of the server's, see provision.MySQL. Empty for the host's own C library.
	daemon      string   // mysqld or mariadbd
	base        string   // the folder with bin and share
	messages    string   // the folder of MySQL's messages. Empty where the server finds it itself.
	libraryPath string   // empty for the host's own
	version     string   // names the template
}

// daemons are the programs that may be an engine's. Before MariaDB 10.5 its server was called mysqld, too.
var daemons = map[Engine][]string{
	MySQL:   {"mysqld", "/usr/sbin/mysqld"},
	MariaDB: {"mariadbd", "/usr/sbin/mariadbd", "mysqld", "/usr/sbin/mysqld"},
}

// findPrograms prefers the host's installation of the engine to the one that has to be fetched.
func findPrograms(ctx context.Context, cache *provision.Cache, engine Engine) (programs, error) {
	for _, name := range daemons[engine] {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if host, ok := hostPrograms(ctx, path); ok && host.engine == engine {
			return host, nil
		}
	}
	if engine == MySQL {
		return fetchedMySQL(ctx, cache)
	}
	return fetchedMariaDB(ctx, cache)
}

func fetchedMySQL(ctx context.Context, cache *provision.Cache) (programs, error) {
	fetched, err := cache.MySQL(ctx)
	if err != nil {
		return programs{}, err
	}
	return programs{
		engine: MySQL, loader: fetched.Loader, daemon: filepath.Join(fetched.Base, "sbin", "mysqld"), base: fetched.Base,
		messages: filepath.Join(fetched.Base, "share", "mysql"), version: fetched.Version,
	}, nil
}

func fetchedMariaDB(ctx context.Context, cache *provision.Cache) (programs, error) {
	fetched, err := cache.MariaDB(ctx)
	if err != nil {
		return programs{}, err
	}
	return programs{
		engine: MariaDB, daemon: filepath.Join(fetched.Base, "sbin", "mariadbd"), base: fetched.Base,
		libraryPath: fetched.LibraryPath, version: fetched.Version,
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
	host := programs{engine: MySQL, daemon: path, base: filepath.Dir(filepath.Dir(path)), version: match[1]}
	if strings.Contains(match[1], "MariaDB") {
		host.engine = MariaDB
		_, err = os.Stat(host.installer())
	}
	return host, err == nil
}

// installer is the script that makes MariaDB's data directory.
func (p programs) installer() string { return filepath.Join(p.base, "bin", "mariadb-install-db") }

// server is the command that starts the server, without the data directory's arguments.
func (p programs) server() []string {
	command := append(slices.Clone(p.loader), p.daemon, "--no-defaults", "--basedir="+p.base)
	if p.messages != "" {
		command = append(command, "--lc-messages-dir="+p.messages)
	}
	return command
}

func (p programs) env() []string {
	if p.libraryPath == "" {
		return nil
	}
	return []string{"LD_LIBRARY_PATH=" + p.libraryPath}
}

var unfitForPath = regexp.MustCompile(`[^\w.]+`)

// template returns a data directory to copy: making one takes longer than the copy. The user's id is in its name,
// because the server opens only files that its own user can write.
func (p programs) template(ctx context.Context, cache *provision.Cache) (string, error) {
	name := fmt.Sprintf("%s-template-%s-user-%d", string(p.engine), unfitForPath.ReplaceAllString(p.version, "-"), os.Geteuid())
	part, err := cache.Part(ctx, name, func(ctx context.Context, dir string) error {
		cache.Progress("making a data directory for %v %s", p.engine, p.version)
		if err := daemon.Own(dir); err != nil {
			return err
		}
		return daemon.Run(ctx, p.env(), "", p.install(dataIn(dir))...)
	})
	if err != nil {
		return "", fmt.Errorf("making a data directory: %w", err)
	}
	return dataIn(part), nil
}

// install is the command that makes a data directory in which root has no password yet. The small log keeps the copy quick.
func (p programs) install(data string) []string {
	if p.engine == MySQL {
		return append(p.server(), "--initialize-insecure", "--datadir="+data, "--secure-file-priv=NULL", "--loose-innodb-redo-log-capacity=8M")
	}
	return []string{
		p.installer(), "--no-defaults", "--basedir=" + p.base, "--datadir=" + data, "--innodb-log-file-size=16M",
		"--auth-root-authentication-method=normal", "--skip-test-db",
	}
}
