package provision

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	mysqlInstead = "set MYSQL_DSN (user:password@tcp(host:port)/database) to a MySQL server, install mysql-server, or take MariaDB (--source-engine mariadb)"
	mysqlPackage = "mysql-server-core"
	// mysqlSuite is the only suite of Debian with MySQL in it. Its version changes, so it cannot be pinned.
	mysqlSuite = "sid"
	// mysqlPatience bounds the download, because nothing that needs MySQL may wait for a mirror for ever.
	mysqlPatience = 3 * time.Minute
)

// MySQL is the server, unpacked.
type MySQL struct {
	Base    string   // the folder with sbin and share
	Loader  []string // the command in front of the server's: the C library's loader that came with it
	Version string   // of the Debian package mysql-server-core
}

// MySQL returns the MySQL of Debian's unstable, which brings its own C library.
func (c *Cache) MySQL(ctx context.Context) (MySQL, error) {
	name := "mysql-" + runtime.GOARCH
	if reason := c.refusedLately(name); reason != "" {
		return MySQL{}, Unavailable{"MySQL", mysqlInstead, fmt.Errorf("a moment ago: %s (delete %s to ask again)", reason, c.refusal(name))}
	}
	bounded, cancel := context.WithTimeout(ctx, mysqlPatience)
	defer cancel()
	root, err := c.Part(bounded, name, c.unpackMySQL)
	if err == nil {
		return openMySQL(root)
	}
	if ctx.Err() == nil {
		c.rememberRefusal(name, err)
	}
	return MySQL{}, Unavailable{"MySQL", mysqlInstead, err}
}

// unpackMySQL downloads the server with its libraries and keeps the files that it runs on, about a quarter of them.
func (c *Cache) unpackMySQL(ctx context.Context, root string) error {
	release, err := debianRelease("/etc/os-release")
	if err != nil {
		return err
	}
	apt, all := filepath.Join(root, "apt"), filepath.Join(root, "all")
	debian, err := c.openArchive(ctx, apt, release, mysqlSuite)
	if err != nil {
		return err
	}
	packages, err := debian.closure(ctx, mysqlPackage, neededByMySQL)
	if err != nil {
		return err
	}
	if err := debian.unpack(ctx, all, packages...); err != nil {
		return err
	}
	if err := keepServer(ctx, all, root); err != nil {
		return err
	}
	for _, folder := range []string{apt, all} {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("removing the downloads: %w", err)
		}
	}
	return checkMySQL(ctx, root)
}

// neededByMySQL leaves out scripts, and libraries of plugins that are not kept.
func neededByMySQL(name string) bool {
	return !slices.ContainsFunc([]string{"perl", "mecab", "gconv", "curl", "fido", "tirpc"}, func(part string) bool {
		return strings.Contains(name, part)
	})
}

// keepServer moves the server, its messages, its character sets and its libraries from all to root. Programs and
// plugins stay behind.
func keepServer(ctx context.Context, all, root string) error {
	libraries := librariesIn(all)
	listed, err := run(ctx, "", nil, filepath.Join(libraries, triplets[runtime.GOARCH].loader), "--library-path", libraries, "--list", filepath.Join(all, "usr/sbin/mysqld"))
	if err != nil {
		return fmt.Errorf("listing the libraries of mysqld: %w", err)
	}
	kept := []string{
		"usr/sbin/mysqld", "usr/share/mysql/english", "usr/share/mysql/charsets", versionsFile,
		filepath.Join("usr/lib", triplets[runtime.GOARCH].name, triplets[runtime.GOARCH].loader),
	}
	for _, field := range strings.Fields(listed) {
		if inside, found := strings.CutPrefix(field, all+"/"); found && !slices.Contains(kept, inside) {
			kept = append(kept, inside)
		}
	}
	for _, path := range kept {
		if err := move(filepath.Join(all, path), filepath.Join(root, path)); err != nil {
			return fmt.Errorf("keeping the files of MySQL: %w", err)
		}
	}
	return nil
}

// move moves a file or folder. Of a link it moves the file behind it.
func move(from, to string) error {
	real, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Rename(real, to)
}

// checkMySQL runs the server far enough to find all of its libraries.
func checkMySQL(ctx context.Context, root string) error {
	server, err := openMySQL(root)
	if err != nil {
		return err
	}
	_, err = run(ctx, "", nil, server.Loader[0], append(slices.Clone(server.Loader[1:]), filepath.Join(server.Base, "sbin", "mysqld"), "--no-defaults", "--version")...)
	return err
}

func openMySQL(root string) (MySQL, error) {
	versions, err := readVersions(root)
	if err != nil {
		return MySQL{}, err
	}
	libraries := librariesIn(root)
	base := filepath.Join(root, "usr")
	return MySQL{
		Base: base, Version: versions[mysqlPackage],
		Loader: []string{
			filepath.Join(libraries, triplets[runtime.GOARCH].loader),
			"--library-path", libraries, "--argv0", filepath.Join(base, "sbin", "mysqld"),
		},
	}, nil
}

func librariesIn(root string) string {
	return filepath.Join(root, "usr/lib", triplets[runtime.GOARCH].name)
}
