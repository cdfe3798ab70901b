package s3

import (
	"encoding/hex"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// knownQuery is every query parameter that changes nothing or that is carried out. gofakes3 ignores the
// others: it would take a PUT of tags for a PUT of the object.
var knownQuery = map[string]bool{
	"x-id": true, "list-type": true, "prefix": true, "delimiter": true, "marker": true, "continuation-token": true,
	"start-after": true, "max-keys": true, "encoding-type": true, "fetch-owner": true, "delete": true, "location": true,
	"uploads": true, "uploadId": true, "partNumber": true, "part-number-marker": true, "max-parts": true,
	"max-uploads": true, "key-marker": true, "upload-id-marker": true, "prefix-marker": true,
	"AWSAccessKeyId": true, "Signature": true, "Expires": true, // of a URL that was presigned the old way
}

// unknownHeaders ask for properties that objects here do not have.
var unknownHeaders = map[string]bool{
	"X-Amz-Tagging": true, "X-Amz-Website-Redirect-Location": true, "X-Amz-Write-Offset-Bytes": true,
	"X-Amz-Server-Side-Encryption-Customer-Algorithm": true, "X-Amz-Object-Lock-Mode": true,
}

// unsupported names the part of the request that this S3 would ignore, or "".
func unsupported(r *http.Request, operation string) string {
	for name := range r.URL.Query() {
		if name == "tagging" && operation == "GetObjectTagging" {
			continue
		}
		if !knownQuery[name] && !strings.HasPrefix(name, "response-") && !strings.HasPrefix(http.CanonicalHeaderKey(name), "X-Amz-") {
			return "the query parameter " + name
		}
	}
	for name := range r.Header {
		switch {
		case unknownHeaders[name], strings.HasPrefix(name, "X-Amz-Copy-Source-If-") && name != copySourceIfMatch:
			return "the header " + name
		}
	}
	if operation == "PostObject" {
		return "an upload by an HTML form"
	}
	return unsupportedCondition(r, operation)
}

func unsupportedCondition(r *http.Request, operation string) string {
	switch operation {
	case "PutObject", "CompleteMultipartUpload", "GetObject", "HeadObject":
		return ""
	}
	for _, name := range []string{"If-Match", "If-None-Match"} {
		if r.Header.Get(name) != "" {
			return name + " on " + operation
		}
	}
	return ""
}

const errAccessDenied gofakes3.ErrorCode = "AccessDenied"

// expired reports whether a presigned URL's time is over. Its signature is not verified, like all signatures here.
func expired(query url.Values, now time.Time) bool {
	if end, err := strconv.ParseInt(query.Get("Expires"), 10, 64); err == nil && query.Has("Signature") {
		return now.After(time.Unix(end, 0))
	}
	signed, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
	seconds, wrong := strconv.ParseInt(query.Get("X-Amz-Expires"), 10, 32)
	return err == nil && wrong == nil && now.After(signed.Add(time.Duration(seconds)*time.Second))
}

// refuse writes an error of this package or of gofakes3.
func refuse(w http.ResponseWriter, err error) {
	var named gofakes3.Error
	if !errors.As(err, &named) {
		named = gofakes3.ErrInternal
	}
	status, message := named.ErrorCode().Status(), named.Error()
	if named.ErrorCode() == errAccessDenied {
		status = http.StatusForbidden
	}
	if response := (*gofakes3.ErrorResponse)(nil); errors.As(err, &response) {
		message = response.Message
	}
	answer(w, status, named.ErrorCode(), message)
}

// answer writes an error as S3 does.
func answer(w http.ResponseWriter, status int, code gofakes3.ErrorCode, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	// A client that has gone away needs no answer.
	_ = xml.NewEncoder(w).Encode(gofakes3.ErrorResponse{Code: code, Message: message})
}

// correctedWriter corrects the headers of gofakes3's answers: no web page may read them, and the names of user metadata
// are lower case, because clients take them as they come.
type correctedWriter struct {
	http.ResponseWriter
	begun bool
}

func (c *correctedWriter) WriteHeader(status int) {
	c.begun = true
	header := c.Header()
	header.Del("Access-Control-Allow-Origin")
	for name, values := range header {
		if strings.HasPrefix(name, userPrefix) {
			delete(header, name)
			header[strings.ToLower(name)] = values
		}
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *correctedWriter) Write(p []byte) (int, error) {
	if !c.begun {
		c.WriteHeader(http.StatusOK)
	}
	return c.ResponseWriter.Write(p)
}

// finish begins an answer that has no body, such as that to a HEAD.
func (c *correctedWriter) finish() {
	if !c.begun {
		c.WriteHeader(http.StatusOK)
	}
}

// matchingWriter holds If-Match of a read against the ETag of the very file that is about to be sent.
type matchingWriter struct {
	http.ResponseWriter
	wanted  string
	decided bool
	failed  bool
}

func (m *matchingWriter) WriteHeader(status int) {
	m.decided = true
	etag := m.Header().Get("ETag")
	sum, err := hex.DecodeString(strings.Trim(etag, `"`))
	if status < 300 && (err != nil || !matches(m.wanted, sum)) {
		m.failed = true
		m.Header().Del("Content-Length")
		m.Header().Del("Content-Range")
		answer(m.ResponseWriter, http.StatusPreconditionFailed, gofakes3.ErrPreconditionFailed, "At least one of the pre-conditions you specified did not hold: If-Match")
		return
	}
	m.ResponseWriter.WriteHeader(status)
}

func (m *matchingWriter) Write(p []byte) (int, error) {
	if !m.decided {
		m.WriteHeader(http.StatusOK)
	}
	if m.failed {
		return len(p), nil
	}
	return m.ResponseWriter.Write(p)
}

// finish decides an answer that has no body, such as that to a HEAD.
func (m *matchingWriter) finish() {
	if !m.decided {
		m.WriteHeader(http.StatusOK)
	}
}
