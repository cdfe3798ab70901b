package provision

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// debianKeyring signs Debian's own archive. Every Debian has it.
const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// mirror is one archive that the host's apt reads.
type mirror struct {
	uri        string
	suites     []string
	components []string
	signedBy   string // the keyring's path, or empty if the host names none, or writes the key itself
}

// debianMirror is the mirror from which the host itself gets Debian's release, e.g. "bookworm", read from
// etc/apt (sources.list(5), both formats). Other parties' archives are passed over.
func debianMirror(etcApt, release string) (mirror, error) {
	files, _ := filepath.Glob(filepath.Join(etcApt, "sources.list.d", "*"))
	var found []mirror
	for _, file := range append([]string{filepath.Join(etcApt, "sources.list")}, files...) {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		switch filepath.Ext(file) {
		case ".list":
			found = append(found, parseLines(string(text))...)
		case ".sources":
			found = append(found, parseStanzas(string(text))...)
		}
	}
	found = slices.DeleteFunc(found, func(m mirror) bool {
		return !slices.Contains(m.suites, release) || !slices.Contains(m.components, "main") || m.foreign()
	})
	if len(found) == 0 {
		return mirror{}, fmt.Errorf("the apt sources of this machine (%s) name no Debian mirror for %s", etcApt, release)
	}
	slices.SortStableFunc(found, func(a, b mirror) int { return a.rank() - b.rank() })
	return found[0], nil
}

// foreign tells an archive that is signed by somebody else than Debian.
func (m mirror) foreign() bool {
	return m.signedBy != "" && !strings.Contains(m.signedBy, "debian-archive")
}

// rank prefers sources that are surely Debian's: a key of its own first, then the usual path. It is apt that makes
// sure in the end, by the signature.
func (m mirror) rank() int {
	address, err := url.Parse(m.uri)
	switch {
	case m.signedBy != "":
		return 0
	case err == nil && path.Base(address.Path) == "debian":
		return 1
	}
	return 2
}

// line is the mirror as a line of a sources.list that reads suite only.
func (m mirror) line(suite string) string {
	keyring := m.signedBy
	if keyring == "" && exists(debianKeyring) {
		keyring = debianKeyring
	}
	if keyring == "" {
		return fmt.Sprintf("deb %s %s main\n", m.uri, suite)
	}
	return fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, m.uri, suite)
}

// parseLines reads the one-line format: deb [option=value …] uri suite component….
func parseLines(text string) []mirror {
	var found []mirror
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "deb" {
			continue
		}
		fields = fields[1:]
		var m mirror
		if len(fields) > 0 && strings.HasPrefix(fields[0], "[") {
			end := slices.IndexFunc(fields, func(field string) bool { return strings.HasSuffix(field, "]") })
			if end < 0 {
				continue
			}
			m.signedBy = option(fields[:end+1], "signed-by")
			fields = fields[end+1:]
		}
		if len(fields) < 3 {
			continue
		}
		m.uri, m.suites, m.components = fields[0], fields[1:2], fields[2:]
		found = append(found, m)
	}
	return found
}

func option(fields []string, name string) string {
	for _, field := range fields {
		key, value, _ := strings.Cut(strings.Trim(field, "[]"), "=")
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// parseStanzas reads the deb822 format: paragraphs of "Field: value", continued by indented lines.
func parseStanzas(text string) []mirror {
	var found []mirror
	for _, stanza := range strings.Split(strings.ReplaceAll(text, "\r", ""), "\n\n") {
		fields := stanzaFields(stanza)
		uris := strings.Fields(fields["uris"])
		enabled := !slices.Contains([]string{"no", "false"}, strings.ToLower(fields["enabled"]))
		if len(uris) == 0 || !enabled || !slices.Contains(strings.Fields(fields["types"]), "deb") {
			continue
		}
		m := mirror{uri: uris[0], suites: strings.Fields(fields["suites"]), components: strings.Fields(fields["components"])}
		// A key may stand in the field itself. Then Debian's keyring serves.
		if strings.HasPrefix(fields["signed-by"], "/") {
			m.signedBy = fields["signed-by"]
		}
		found = append(found, m)
	}
	return found
}

func stanzaFields(stanza string) map[string]string {
	fields := map[string]string{}
	var name string
	for line := range strings.Lines(stanza) {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			fields[name] += " " + strings.TrimSpace(line)
		default:
			key, value, _ := strings.Cut(line, ":")
			name = strings.ToLower(strings.TrimSpace(key))
			fields[name] = strings.TrimSpace(value)
		}
	}
	return fields
}

// debianRelease reads the release's code name, e.g. "bookworm", from os-release(5).
func debianRelease(osRelease string) (string, error) {
	text, err := os.ReadFile(osRelease)
	if err != nil {
		return "", errors.New("this is no Debian (there is no /etc/os-release)")
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	if values["ID"] != "debian" || values["VERSION_CODENAME"] == "" {
		return "", fmt.Errorf("only Debian's packages are known, and this is %q", values["PRETTY_NAME"])
	}
	return values["VERSION_CODENAME"], nil
}
