package s3

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/johannesboyne/gofakes3"
	"golang.org/x/sys/unix"
)

const (
	// keptHeader carries the headers that belong to an object, as JSON, through gofakes3, which knows a part of them.
	keptHeader = "X-Amz-Kept"
	// keptAttribute of an object's file holds them: it is renamed with the file, and the folder holds objects only.
	keptAttribute = "user.recsys.headers"
	// userPrefix begins the headers that a client makes up.
	userPrefix = "X-Amz-Meta-"
	// maxUserMetadata is S3's limit of names and values together, in bytes.
	maxUserMetadata = 2 << 10

	errNoAttributes = "the file system under the state directory has no extended attributes, where the local S3 keeps user metadata: choose another with --state-dir"
)

// keptNames are the other headers that a GET answers as the PUT had them.
var keptNames = []string{"Content-Type", "Content-Disposition", "Content-Encoding", "Content-Language", "Cache-Control", "Expires"}

// kept are the headers of an object.
type kept map[string]string

func keptOf(header http.Header) (kept, error) {
	headers, size := kept{}, 0
	for name, values := range header {
		if strings.HasPrefix(name, userPrefix) {
			headers[name] = strings.Join(values, ",")
			size += len(name) - len(userPrefix) + len(headers[name])
		}
	}
	for _, name := range keptNames {
		if value := header.Get(name); value != "" {
			headers[name] = value
		}
	}
	if size > maxUserMetadata {
		return nil, gofakes3.ErrorMessagef(gofakes3.ErrMetadataTooLarge, "user metadata has %d bytes, S3 allows %d", size, maxUserMetadata)
	}
	return headers, nil
}

// keepHeaders hands the headers to the folder's methods, by the only way that gofakes3 has.
func keepHeaders(r *http.Request) error {
	headers, err := keptOf(r.Header)
	if err != nil {
		return err
	}
	text, err := json.Marshal(headers)
	r.Header.Set(keptHeader, string(text))
	return err
}

// handedDown returns the headers that keepHeaders put into the metadata.
func handedDown(meta map[string]string) (headers kept) {
	_ = json.Unmarshal([]byte(meta[keptHeader]), &headers) // our own JSON, or nothing
	return headers
}

func (k kept) hasUserMetadata() bool {
	for name := range k {
		if strings.HasPrefix(name, userPrefix) {
			return true
		}
	}
	return false
}

// attach writes the headers to a file that is not yet an object.
func (k kept) attach(file *os.File) error {
	if len(k) == 0 {
		return nil
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	err = unix.Fsetxattr(int(file.Fd()), keptAttribute, text, 0)
	if !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	if k.hasUserMetadata() {
		return gofakes3.ErrorMessage(gofakes3.ErrNotImplemented, errNoAttributes)
	}
	return nil // the content type is told by the key
}

// readKept returns the headers of an object's open file. A file that was put there by hand has none.
// It takes no path, because another PUT may have replaced the object since.
func readKept(file *os.File) (headers kept) {
	text := make([]byte, 16<<10)
	n, err := unix.Fgetxattr(int(file.Fd()), keptAttribute, text)
	if err != nil || json.Unmarshal(text[:n], &headers) != nil {
		return nil
	}
	return headers
}
