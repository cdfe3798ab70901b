package s3

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"recsys/infra/local/aws/awscall"
)

// copyPart answers UploadPartCopy, which gofakes3 lacks: clients copy objects over 8 MB by it.
func (h *handler) copyPart(w http.ResponseWriter, r *http.Request, call awscall.Call) {
	etag, modified, err := h.folder.copyPart(r, call)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	// A client that has gone away needs no answer.
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName      xml.Name             `xml:"CopyPartResult"`
		LastModified gofakes3.ContentTime `xml:"LastModified"`
		ETag         string               `xml:"ETag"`
	}{LastModified: modified, ETag: etag})
}

func (f *folder) copyPart(r *http.Request, call awscall.Call) (etag string, modified gofakes3.ContentTime, err error) {
	query := r.URL.Query()
	number, err := strconv.Atoi(query.Get("partNumber"))
	if err != nil || number < 1 || number > gofakes3.MaxUploadPartNumber {
		return "", modified, gofakes3.ErrInvalidPart
	}
	source, _, _ := strings.Cut(r.Header.Get("X-Amz-Copy-Source"), "?")
	if source, err = url.PathUnescape(strings.TrimPrefix(source, "/")); err != nil {
		return "", modified, gofakes3.ErrInvalidArgument
	}
	fromBucket, fromKey, _ := strings.Cut(source, "/")
	file, info, sum, err := f.open(fromBucket, fromKey)
	if err != nil {
		return "", modified, err
	}
	defer file.Close()
	if wanted := r.Header.Get(copySourceIfMatch); wanted != "" && !matches(wanted, sum) {
		return "", modified, preconditionFailed("x-amz-copy-source-if-match")
	}
	start, length, err := copiedRange(r.Header.Get("X-Amz-Copy-Source-Range"), info.Size())
	if err != nil {
		return "", modified, err
	}
	part := io.NewSectionReader(file, start, length)
	etag, err = f.UploadPart(call.Bucket, call.Key, gofakes3.UploadID(query.Get("uploadId")), number, length, part)
	return etag, gofakes3.NewContentTime(info.ModTime()), err
}

// copiedRange reads bytes=first-last. Without one it is the whole source.
func copiedRange(header string, size int64) (start, length int64, err error) {
	if header == "" {
		return 0, size, nil
	}
	var last int64
	if n, err := fmt.Sscanf(header, "bytes=%d-%d", &start, &last); err != nil || n != 2 || start < 0 || last < start || last >= size {
		return 0, 0, gofakes3.ErrorMessagef(gofakes3.ErrInvalidArgument, "the range %q is not within the source's %d bytes", header, size)
	}
	return start, last - start + 1, nil
}
