package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// archive is a private apt: its own sources and state, in a folder, for one suite of Debian.
type archive struct {
	dir   string
	suite string
	cache *Cache
}

// openArchive sets up a private apt in dir for suite, over the mirror that the host uses for release, and
// fetches the list of packages.
func (c *Cache) openArchive(ctx context.Context, dir, release, suite string) (*archive, error) {
	from, err := debianMirror("/etc/apt", release)
	if err != nil {
		return nil, err
	}
	a := &archive{dir: dir, suite: suite, cache: c}
	for _, sub := range []string{"etc", "state/lists/partial", "cache/archives/partial", "packages"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("making apt's folders: %w", err)
		}
	}
	network, err := hostNetworkSettings(ctx)
	if err != nil {
		return nil, err
	}
	files := map[string]string{"etc/sources.list": from.line(suite), "status": "", "apt.conf": a.settings() + network}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, fmt.Errorf("writing apt's settings: %w", err)
		}
	}
	c.Progress("reading Debian's list of packages for %s", suite)
	// Without this, apt-get update calls it a success when the mirror does not answer.
	if _, err := a.apt(ctx, "apt-get", "update", "--error-on=any"); err != nil {
		return nil, err
	}
	return a, nil
}

// settings keeps apt away from everything of the system's (apt.conf(5)) but its keys and its access to mirrors.
// The sandbox user is switched off because it could not enter the folder.
func (a *archive) settings() string {
	return fmt.Sprintf(`Dir "%[1]s";
Dir::State "state";
Dir::State::status "%[1]s/status";
Dir::Cache "cache";
Dir::Etc "etc";
Dir::Etc::trusted "/etc/apt/trusted.gpg";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
`, a.dir)
}

// hostNetworkSettings is how the host's apt reaches its mirrors: proxies, certificates, timeouts.
func hostNetworkSettings(ctx context.Context) (string, error) {
	dump, err := run(ctx, "", nil, "apt-config", "dump", "Acquire")
	if err != nil {
		return "", err
	}
	var kept strings.Builder
	for line := range strings.Lines(dump) {
		for _, prefix := range []string{"Acquire::http", "Acquire::https", "Acquire::Force", "Acquire::Check-Valid-Until"} {
			if strings.HasPrefix(line, prefix) {
				kept.WriteString(line)
				break
			}
		}
	}
	return kept.String(), nil
}

func (a *archive) apt(ctx context.Context, program string, args ...string) (string, error) {
	return run(ctx, filepath.Join(a.dir, "packages"), []string{"APT_CONFIG=" + filepath.Join(a.dir, "apt.conf")}, program, args...)
}

// libraries names the libraries that the packages depend on directly, but for those that every Debian has.
func (a *archive) libraries(ctx context.Context, packages ...string) ([]string, error) {
	listed, err := a.apt(ctx, "apt-cache", append([]string{"depends", "--important"}, packages...)...)
	if err != nil {
		return nil, err
	}
	everywhere := []string{"libc6", "libgcc-s1", "libstdc++6"}
	var libraries []string
	for line := range strings.Lines(listed) {
		name, isDependency := strings.CutPrefix(strings.TrimSpace(line), "Depends: ")
		if isDependency && strings.HasPrefix(name, "lib") && !slices.Contains(everywhere, name) {
			libraries = append(libraries, name)
		}
	}
	slices.Sort(libraries)
	return slices.Compact(libraries), nil
}

// closure names the package and all that it depends on, directly or not, as far as the packages are wanted.
func (a *archive) closure(ctx context.Context, root string, wanted func(name string) bool) ([]string, error) {
	listed, err := a.apt(ctx, "apt-cache", "depends", "--recurse", "--important", root)
	if err != nil {
		return nil, err
	}
	dependencies := map[string][]string{}
	var of string
	for line := range strings.Lines(listed) {
		name, isDependency := strings.CutPrefix(strings.TrimSpace(line), "Depends: ")
		switch {
		case isDependency:
			dependencies[of] = append(dependencies[of], name)
		case !strings.HasPrefix(line, " "):
			of = name
		}
	}
	names := []string{root}
	for i := 0; i < len(names); i++ {
		for _, name := range dependencies[names[i]] {
			if wanted(name) && !strings.HasPrefix(name, "<") && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// unpack downloads packages and unpacks them into root, without installing them, and records their versions
// in root/versions.json.
func (a *archive) unpack(ctx context.Context, root string, packages ...string) error {
	a.cache.Progress("downloading %d packages from Debian %s: %s", len(packages), a.suite, strings.Join(packages, " "))
	if _, err := a.apt(ctx, "apt-get", append([]string{"download"}, packages...)...); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(a.dir, "packages", "*.deb"))
	if err != nil || len(files) < len(packages) {
		return fmt.Errorf("apt-get downloaded %d files for %d packages", len(files), len(packages))
	}
	versions := map[string]string{}
	for _, file := range files {
		if _, err := run(ctx, "", nil, "dpkg", "-x", file, root); err != nil {
			return err
		}
		described, err := run(ctx, "", nil, "dpkg-deb", "--show", "--showformat=${Package} ${Version}", file)
		if err != nil {
			return err
		}
		name, version, _ := strings.Cut(described, " ")
		versions[name] = version
	}
	return recordVersions(root, versions)
}

const versionsFile = "versions.json"

func recordVersions(root string, versions map[string]string) error {
	text, err := json.MarshalIndent(versions, "", "  ")
	if err != nil {
		return fmt.Errorf("recording versions: %w", err)
	}
	if err := os.WriteFile(filepath.Join(root, versionsFile), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("recording versions: %w", err)
	}
	return nil
}

func readVersions(root string) (map[string]string, error) {
	var versions map[string]string
	text, err := os.ReadFile(filepath.Join(root, versionsFile))
	if err != nil {
		return nil, fmt.Errorf("reading the versions: %w", err)
	}
	if err := json.Unmarshal(text, &versions); err != nil {
		return nil, fmt.Errorf("reading the versions: %w", err)
	}
	return versions, nil
}
