package s3

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// checksums are S3's, by the header that carries one in base64.
var checksums = map[string]func() hash.Hash{
	"X-Amz-Checksum-Crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"X-Amz-Checksum-Crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"X-Amz-Checksum-Crc64nvme": func() hash.Hash { return crc64.New(nvme) },
	"X-Amz-Checksum-Sha1":      sha1.New,
	"X-Amz-Checksum-Sha256":    sha256.New,
}

// nvme is the polynomial of CRC-64/NVME, reversed.
var nvme = crc64.MakeTable(0x9a6c9329ac4bc9b5)

// receive prepares the body of an upload: it takes aws-chunked apart, which gofakes3 would store in part, and compares
// the checksums that the client sends, ahead or in the trailer. Signatures are not verified.
func receive(r *http.Request) error {
	trailer := http.Header{}
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || size < 0 {
			return gofakes3.ErrMissingContentLength
		}
		r.Body = readCloser{&chunked{from: bufio.NewReader(r.Body), trailer: trailer}, r.Body}
		r.ContentLength = size
		r.Header.Set("Content-Length", strconv.FormatInt(size, 10))
		r.Header.Del("X-Amz-Content-Sha256")
		removeEncoding(r.Header)
	}
	names := strings.Split(r.Header.Get("X-Amz-Trailer"), ",")
	for name := range r.Header {
		names = append(names, name)
	}
	for _, name := range names {
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		if algorithm := checksums[name]; algorithm != nil {
			r.Body = readCloser{&compared{from: r.Body, name: name, sum: algorithm(), header: r.Header, trailer: trailer}, r.Body}
		}
	}
	return nil
}

// removeEncoding takes aws-chunked out of Content-Encoding: it is of the request, not of the object.
func removeEncoding(header http.Header) {
	var others []string
	for _, encoding := range strings.Split(header.Get("Content-Encoding"), ",") {
		if encoding = strings.TrimSpace(encoding); encoding != "" && encoding != "aws-chunked" {
			others = append(others, encoding)
		}
	}
	header.Del("Content-Encoding")
	if len(others) > 0 {
		header.Set("Content-Encoding", strings.Join(others, ","))
	}
}

type readCloser struct {
	io.Reader
	io.Closer
}

// chunked reads the content of an aws-chunked body: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
type chunked struct {
	from    *bufio.Reader
	left    int64 // of the chunk
	begun   bool
	ended   bool
	trailer http.Header // filled at the end
}

var errChunk = gofakes3.ErrorMessage(gofakes3.ErrIncompleteBody, "the body is no aws-chunked one, or broke off")

func (c *chunked) Read(p []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if c.ended {
		return 0, io.EOF
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = errChunk
	}
	return n, err
}

// next reads the line before a chunk, and after the last one the trailer.
func (c *chunked) next() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return errChunk
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	if c.left, err = strconv.ParseInt(size, 16, 64); err != nil || c.left < 0 {
		return errChunk
	}
	for c.ended = c.left == 0; c.ended; {
		line, err := c.line()
		if err != nil || line == "" { // an unsigned trailer may end with the body
			return nil
		}
		name, value, _ := strings.Cut(line, ":")
		c.trailer.Set(name, strings.TrimSpace(value))
	}
	return nil
}

func (c *chunked) line() (string, error) {
	line, err := c.from.ReadSlice('\n')
	if err != nil {
		return "", errChunk
	}
	return string(bytes.TrimRight(line, "\r\n")), nil
}

// compared fails at the end of a content whose checksum is another than its client's.
type compared struct {
	from            io.Reader
	name            string
	sum             hash.Hash
	header, trailer http.Header
}

func (c *compared) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.sum.Write(p[:n])
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	want := c.header.Get(c.name) + c.trailer.Get(c.name)
	if got := base64.StdEncoding.EncodeToString(c.sum.Sum(nil)); got != want {
		return n, gofakes3.ErrorMessagef(gofakes3.ErrBadDigest, "the content's %s is %s, the request says %q", c.name, got, want)
	}
	return n, io.EOF
}
