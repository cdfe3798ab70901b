package prose

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	target  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinksLeadSomewhere follows the documents' links to files and headings of the repository.
func TestLinksLeadSomewhere(t *testing.T) {
	followed := 0
	for _, path := range tracked(t, ".md") {
		content, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range target.FindAllStringSubmatch(fences.ReplaceAllString(string(content), ""), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			followed++
			if err := follow(path, link[1]); err != nil {
				t.Errorf("%s links to %s: %v", path, link[1], err)
			}
		}
	}
	if followed < 20 {
		t.Errorf("only %d links were found", followed)
	}
}

// follow finds the file and the heading of a link in a document.
func follow(document, link string) error {
	file, anchor, _ := strings.Cut(link, "#")
	path := filepath.Join(root, filepath.Dir(document), file)
	if file == "" {
		path = filepath.Join(root, document)
	}
	if anchor == "" {
		_, err := os.Stat(path)
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, found := range heading.FindAllStringSubmatch(fences.ReplaceAllString(string(content), ""), -1) {
		if slug(found[1]) == anchor {
			return nil
		}
	}
	return errors.Join(fs.ErrNotExist, errors.New("no heading has this anchor"))
}

// slug returns the anchor that GitHub gives a heading.
func slug(title string) string {
	return strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}
