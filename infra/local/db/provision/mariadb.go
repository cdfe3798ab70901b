package provision

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

const mariadbInstead = "set MYSQL_DSN (user:password@tcp(host:port)/database) to a MySQL or MariaDB server, or install mariadb-server"

// MariaDB is the server, unpacked.
type MariaDB struct {
	Base        string // the folder with bin, sbin and share
	LibraryPath string // LD_LIBRARY_PATH for its programs
	Version     string // of the Debian package mariadb-server-core
}

// MariaDB returns the MariaDB of the host's own Debian release.
func (c *Cache) MariaDB(ctx context.Context) (MariaDB, error) {
	root, err := c.mariadbPart(ctx)
	if err != nil {
		return MariaDB{}, Unavailable{"MariaDB", mariadbInstead, err}
	}
	return openMariaDB(root)
}

func (c *Cache) mariadbPart(ctx context.Context) (string, error) {
	release, err := debianRelease("/etc/os-release")
	if err != nil {
		return "", err
	}
	return c.Part(ctx, "mariadb-"+release+"-"+runtime.GOARCH, func(ctx context.Context, root string) error {
		apt := filepath.Join(root, "apt")
		debian, err := c.openArchive(ctx, apt, release, release)
		if err != nil {
			return err
		}
		libraries, err := debian.libraries(ctx, "mariadb-server-core", "mariadb-client-core")
		if err != nil {
			return err
		}
		if err := debian.unpack(ctx, root, append(libraries, "mariadb-server-core", "mariadb-server", "mariadb-client-core")...); err != nil {
			return err
		}
		if err := os.RemoveAll(apt); err != nil {
			return fmt.Errorf("removing the downloads: %w", err)
		}
		return checkMariaDB(ctx, root)
	})
}

// checkMariaDB runs the server far enough to find all of its libraries.
func checkMariaDB(ctx context.Context, root string) error {
	server, err := openMariaDB(root)
	if err != nil {
		return err
	}
	_, err = run(ctx, "", []string{"LD_LIBRARY_PATH=" + server.LibraryPath}, filepath.Join(server.Base, "sbin", "mariadbd"), "--no-defaults", "--version")
	return err
}

func openMariaDB(root string) (MariaDB, error) {
	versions, err := readVersions(root)
	if err != nil {
		return MariaDB{}, err
	}
	triplet := triplets[runtime.GOARCH].name
	return MariaDB{
		Base:        filepath.Join(root, "usr"),
		LibraryPath: filepath.Join(root, "usr/lib", triplet) + ":" + filepath.Join(root, "lib", triplet),
		Version:     versions["mariadb-server-core"],
	}, nil
}

// triplets: Debian's name of an architecture's library folder, and the C library's loader in it.
var triplets = map[string]struct{ name, loader string }{
	"amd64": {"x86_64-linux-gnu", "ld-linux-x86-64.so.2"},
	"arm64": {"aarch64-linux-gnu", "ld-linux-aarch64.so.1"},
}
