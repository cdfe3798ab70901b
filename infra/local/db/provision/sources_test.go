package provision

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheDebianMirrorIsFoundInBothFormats(t *testing.T) {
	for _, c := range []struct {
		name, file, text, want string
	}{
		{"deb822", "sources.list.d/debian.sources", "# comment\nTypes: deb deb-src\nURIs: http://mirror.example/debian\n# comment\nSuites: bookworm bookworm-updates\nComponents: main\n contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
			"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian trixie main\n"},
		{"one line", "sources.list", "# deb http://old.example/debian bookworm main\ndeb-src http://src.example/debian bookworm main\ndeb [arch=amd64 signed-by=/etc/debian-archive.gpg] http://mirror.example/debian bookworm main contrib # ours\n",
			"deb [signed-by=/etc/debian-archive.gpg] http://mirror.example/debian trixie main\n"},
		{"other parties first", "sources.list.d/all.list", "deb [signed-by=/k/other.gpg] http://other.example bookworm main\ndeb http://third.example/apt bookworm main\ndeb [signed-by=/etc/debian-archive.gpg] http://mirror.example/debian bookworm main\n",
			"deb [signed-by=/etc/debian-archive.gpg] http://mirror.example/debian trixie main\n"},
		{"disabled", "sources.list.d/debian.sources", "Enabled: no\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n", ""},
		{"another suite", "sources.list", "deb http://mirror.example/debian bookworm-backports main\n", ""},
		{"cut short", "sources.list", "deb [arch=amd64\ndeb\ndeb x\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			etc := t.TempDir()
			if err := os.MkdirAll(filepath.Join(etc, "sources.list.d"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(etc, c.file), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			found, err := debianMirror(etc, "bookworm")
			if c.want == "" {
				if err == nil {
					t.Errorf("found %+v", found)
				}
				return
			}
			if err != nil || found.line("trixie") != c.want {
				t.Errorf("found %q (%v), want %q", found.line("trixie"), err, c.want)
			}
		})
	}
}

func TestOnlyDebianIsKnown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "os-release")
	for text, want := range map[string]string{
		"ID=debian\nVERSION_CODENAME=trixie\n":                                  "trixie",
		"PRETTY_NAME=\"Fedora 42\"\nID=fedora\n":                                "",
		"ID=ubuntu\nVERSION_CODENAME=noble\nPRETTY_NAME=\"Ubuntu 24.04 LTS\"\n": "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := debianRelease(file); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q (%v), want %q", text, got, err, want)
		}
	}
}
