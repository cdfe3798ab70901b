package s3

import (
	"strings"
	"testing"
)

// A reader that has opened an object gets the headers of its content, though another PUT comes between.
func TestHeadersAreThoseOfTheOpenedFile(t *testing.T) {
	f, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CreateBucket("lake"); err != nil {
		t.Fatal(err)
	}
	put := func(contentType string) {
		t.Helper()
		meta := map[string]string{keptHeader: `{"Content-Type":"` + contentType + `"}`}
		if _, err := f.PutObject("lake", "object", meta, strings.NewReader(contentType), -1, nil); err != nil {
			t.Fatal(err)
		}
	}
	put("text/old")
	file, _, _, err := f.open("lake", "object")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := readKept(file)
	if before == nil {
		t.Skip("this file system has no extended attributes, where the headers are kept")
	}
	put("text/new")
	if got := readKept(file)["Content-Type"]; got != "text/old" {
		t.Errorf("the opened file has the Content-Type %q", got)
	}
	object, err := f.HeadObject("lake", "object")
	if err != nil || object.Metadata["Content-Type"] != "text/new" {
		t.Errorf("the object is %v, %v", object, err)
	}
}
