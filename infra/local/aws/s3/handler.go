package s3

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"recsys/infra/local/aws/awscall"
)

const (
	maxPutBytes    = 5 << 30 // S3's limit of one PutObject or part
	maxDeleteKeys  = 1000    // S3's limit of one DeleteObjects
	maxDeleteBytes = 2 << 20 // as many keys of 1,024 bytes, with their XML
)

// handler stands before gofakes3. It names the call, runs the hooks and adds operations that gofakes3 lacks. It
// refuses all others, so that nothing seems to work here that would not on AWS.
type handler struct {
	fake   http.Handler
	folder *folder
	hooks  *awscall.Point
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPutBytes)
	call := callOf(r)
	if call.Operation == "DeleteObjects" {
		keys, err := peekKeys(r)
		if err != nil {
			answer(w, http.StatusBadRequest, gofakes3.ErrMalformedXML, "reading the list of keys: "+err.Error())
			return
		}
		call.Keys = keys
	}
	h.hooks.Serve(w, r, call, changes(call.Operation), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.carryOut(w, r, call)
	}))
}

func (h *handler) carryOut(w http.ResponseWriter, r *http.Request, call awscall.Call) {
	if reason := unsupported(r, call.Operation); reason != "" {
		answer(w, http.StatusNotImplemented, gofakes3.ErrNotImplemented, "the local S3 does not know "+reason)
		return
	}
	if err := prepare(r, call.Operation); err != nil {
		refuse(w, err)
		return
	}
	switch call.Operation {
	case "UploadPartCopy":
		h.copyPart(w, r, call)
		return
	case "GetObjectTagging":
		h.tags(w, call)
		return
	case "CompleteMultipartUpload":
		h.folder.expect(call.Bucket, call.Key, gofakes3.UploadID(r.URL.Query().Get("uploadId")), conditionsOf(r))
	case "GetObject", "HeadObject":
		if wanted := r.Header.Get("If-Match"); wanted != "" {
			matching := &matchingWriter{ResponseWriter: w, wanted: wanted}
			defer matching.finish()
			w = matching
		}
	}
	corrected := &correctedWriter{ResponseWriter: w}
	h.fake.ServeHTTP(corrected, r)
	corrected.finish()
}

// prepare refuses a presigned request whose time is over, and readies the content and the headers of an upload.
func prepare(r *http.Request, operation string) error {
	if expired(r.URL.Query(), time.Now()) {
		return gofakes3.ErrorMessage(errAccessDenied, "Request has expired")
	}
	switch operation {
	case "PutObject", "UploadPart":
		if err := receive(r); err != nil {
			return err
		}
	case "CopyObject", "CreateMultipartUpload":
	default:
		return nil
	}
	return keepHeaders(r)
}

// tags answers that an object has none, which clients ask before they copy one.
func (h *handler) tags(w http.ResponseWriter, call awscall.Call) {
	if _, _, err := h.folder.stat(call.Bucket, call.Key); err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	// A client that has gone away needs no answer.
	_, _ = io.WriteString(w, xml.Header+"<Tagging><TagSet></TagSet></Tagging>")
}

// changes says which operations make or remove an object.
func changes(operation string) bool {
	switch operation {
	case "PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "DeleteObjects":
		return true
	}
	return false
}

// callOf names a request as the API reference does.
func callOf(r *http.Request) awscall.Call {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	call := awscall.Call{Service: "s3", Bucket: bucket, Key: key, Caller: awscall.CallerOf(r)}
	switch {
	case bucket == "":
		call.Operation = "ListBuckets"
	case key == "":
		call.Operation = bucketOperation(r.Method, query)
		call.Key = query.Get("prefix")
	default:
		call.Operation = objectOperation(r, query)
		call.Source, _ = url.PathUnescape(strings.TrimPrefix(r.Header.Get("X-Amz-Copy-Source"), "/"))
	}
	return call
}

func bucketOperation(method string, query url.Values) string {
	switch {
	case method == http.MethodPut:
		return "CreateBucket"
	case method == http.MethodPost && !query.Has("delete"):
		return "PostObject"
	case method == http.MethodDelete:
		return "DeleteBucket"
	case method == http.MethodHead:
		return "HeadBucket"
	case query.Has("delete"):
		return "DeleteObjects"
	case query.Has("location"):
		return "GetBucketLocation"
	case query.Has("uploads"):
		return "ListMultipartUploads"
	case query.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	return "ListObjects"
}

func objectOperation(r *http.Request, query url.Values) string {
	upload, copied := query.Has("uploadId"), r.Header.Get("X-Amz-Copy-Source") != ""
	switch {
	case r.Method == http.MethodHead:
		return "HeadObject"
	case r.Method == http.MethodGet && upload:
		return "ListParts"
	case r.Method == http.MethodGet && query.Has("tagging"):
		return "GetObjectTagging"
	case r.Method == http.MethodGet:
		return "GetObject"
	case r.Method == http.MethodDelete && upload:
		return "AbortMultipartUpload"
	case r.Method == http.MethodDelete:
		return "DeleteObject"
	case r.Method == http.MethodPost && upload:
		return "CompleteMultipartUpload"
	case r.Method == http.MethodPost:
		return "CreateMultipartUpload"
	case upload && copied:
		return "UploadPartCopy"
	case upload:
		return "UploadPart"
	case copied:
		return "CopyObject"
	}
	return "PutObject"
}

// peekKeys reads the keys of a DeleteObjects and leaves the body to be read again.
func peekKeys(r *http.Request) ([]string, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxDeleteBytes))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var request gofakes3.DeleteRequest
	if err := xml.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	if len(request.Objects) > maxDeleteKeys {
		return nil, fmt.Errorf("more than %d keys", maxDeleteKeys)
	}
	keys := make([]string, len(request.Objects))
	for i, object := range request.Objects {
		keys[i] = object.Key
	}
	return keys, nil
}

func conditionsOf(r *http.Request) *gofakes3.PutConditions {
	conditions := &gofakes3.PutConditions{}
	if value := r.Header.Get("If-Match"); value != "" {
		conditions.IfMatch = &value
	}
	if value := r.Header.Get("If-None-Match"); value != "" {
		conditions.IfNoneMatch = &value
	}
	return conditions
}
