package s3_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/crc64"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Metadata survives overwriting, copying, uploads in parts and a restart.
func TestUserMetadata(t *testing.T) {
	dir := t.TempDir()
	server, client := start(t, dir)
	written := map[string]string{"owner": "data-science", "empty-ok": "", "trained-on": "2026-11-27"}
	in := awss3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("a.json"), Body: strings.NewReader("{}"), Metadata: written,
		ContentType: aws.String("application/x-own"), CacheControl: aws.String("no-store"), ContentEncoding: aws.String("gzip"),
	}
	if _, err := client.PutObject(t.Context(), &in); err != nil {
		t.Fatal(err)
	}
	check := func(client *awss3.Client, key string, want map[string]string, contentType string) {
		t.Helper()
		head, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if !maps.Equal(head.Metadata, want) || !maps.Equal(got.Metadata, want) || *head.ContentType != contentType {
			t.Errorf("%s: %v and %v of type %s, want %v of type %s", key, head.Metadata, got.Metadata, *head.ContentType, want, contentType)
		}
	}
	check(client, "a.json", written, "application/x-own")
	// As bytes on the wire: Python takes the names as they are spelled, Go does not.
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HEAD /%s/a.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", bucket)
	if head, err := io.ReadAll(conn); err != nil || !strings.Contains(string(head), "\r\nx-amz-meta-trained-on: 2026-11-27\r\n") {
		t.Errorf("%s, %v", head, err)
	}
	copyObject := awss3.CopyObjectInput{Bucket: aws.String(bucket), Key: aws.String("b"), CopySource: aws.String(bucket + "/a.json")}
	if _, err := client.CopyObject(t.Context(), &copyObject); err != nil {
		t.Fatal(err)
	}
	check(client, "b", written, "application/x-own")
	copyObject.Key, copyObject.MetadataDirective = aws.String("a.json"), types.MetadataDirectiveReplace
	copyObject.Metadata, copyObject.ContentType = map[string]string{"other": "1"}, aws.String("text/plain")
	if _, err := client.CopyObject(t.Context(), &copyObject); err != nil {
		t.Fatal(err)
	}
	check(client, "a.json", copyObject.Metadata, "text/plain")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, client = start(t, dir)
	check(client, "b", written, "application/x-own")
	put(t, client, "b", "without")
	check(client, "b", map[string]string{}, "application/octet-stream")
	if err := os.WriteFile(server.Path(bucket, "by-hand.csv"), []byte("id"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(client, "by-hand.csv", map[string]string{}, "text/csv; charset=utf-8")
}

func TestUserMetadataHasALimit(t *testing.T) {
	_, client := setup(t)
	for length, allowed := range map[int]bool{2 << 10: true, 2<<10 + 1: false} {
		_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{
			Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader("x"),
			Metadata: map[string]string{"abc": strings.Repeat("x", length-3)},
		})
		if allowed && err != nil {
			t.Errorf("%d bytes: %v", length, err)
		} else if !allowed {
			wantCode(t, err, 400, "MetadataTooLarge")
		}
	}
}

// Clients handle an object over 8 MB in parts, each copied from a range of the source.
func TestUploadPartCopy(t *testing.T) {
	_, client := setup(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 6<<20/16)
	source := "a folder/a+b 100%.bin"
	put(t, client, source, string(content))
	created, err := client.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String("copy"), Metadata: map[string]string{"kept": "yes"},
	})
	if err != nil {
		t.Fatal(err)
	}
	copyPart := func(number int32, bytes string) (*awss3.UploadPartCopyOutput, error) {
		return client.UploadPartCopy(t.Context(), &awss3.UploadPartCopyInput{
			Bucket: aws.String(bucket), Key: aws.String("copy"), UploadId: created.UploadId, PartNumber: &number,
			CopySource: aws.String(bucket + "/a%20folder/a%2Bb%20100%25.bin"), CopySourceRange: &bytes,
		})
	}
	var parts []types.CompletedPart
	for number, part := range map[int32]string{1: "bytes=0-5242879", 2: "bytes=5242880-6291455"} {
		out, err := copyPart(number, part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(number), ETag: out.CopyPartResult.ETag})
	}
	if *parts[0].PartNumber == 2 {
		parts[0], parts[1] = parts[1], parts[0]
	}
	for _, outside := range []string{"bytes=0-6291456", "bytes=5-4", "bytes=-5-4", "all"} {
		_, err := copyPart(3, outside)
		wantCode(t, err, 400, "InvalidArgument")
	}
	if _, err := client.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String("copy"), UploadId: created.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}); err != nil {
		t.Fatal(err)
	}
	if get(t, client, "copy") != string(content) {
		t.Error("the copy is another object")
	}
	head, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("copy")})
	if err != nil || head.Metadata["kept"] != "yes" {
		t.Errorf("%v, %v", head.Metadata, err)
	}
}

func TestPresignedURLs(t *testing.T) {
	_, client := setup(t)
	presign := awss3.NewPresignClient(client)
	upload, err := presign.PresignPutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a b.txt")})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, upload.Method, upload.URL, upload.SignedHeader, "handed over"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	download, err := presign.PresignGetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a b.txt")})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, http.MethodGet, download.URL, nil, ""); status != 200 || body != "handed over" {
		t.Errorf("%d %s", status, body)
	}
	address, _, _ := strings.Cut(download.URL, "?")
	for query, want := range map[string]int{
		"?X-Amz-Date=20200101T000000Z&X-Amz-Expires=900&X-Amz-Signature=00":                            403,
		"?AWSAccessKeyId=local&Signature=00&Expires=1577836800":                                        403,
		fmt.Sprintf("?AWSAccessKeyId=local&Signature=00&Expires=%d", time.Now().Add(time.Hour).Unix()): 200,
	} {
		status, body := request(t, http.MethodGet, address+query, nil, "")
		if status != want || want == 403 && !strings.Contains(body, "<Code>AccessDenied</Code><Message>Request has expired") {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

// The body that newer SDKs send: in chunks, the checksum behind it.
func TestChunkedUploadsAndChecksums(t *testing.T) {
	server, client := setup(t)
	content := strings.Repeat("123456789", 10_000)
	nvme := crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5))
	nvme.Write([]byte("123456789"))
	if nvme.Sum64() != 0xae8b14860a799888 { // the check value of the algorithm's catalogue
		t.Fatalf("CRC-64/NVME of 123456789 is %x", nvme.Sum64())
	}
	nvme.Reset()
	nvme.Write([]byte(content))
	sum := base64.StdEncoding.EncodeToString(nvme.Sum(nil))
	unsigned := fmt.Sprintf("10000\r\n%s\r\n%x\r\n%s\r\n0\r\nx-amz-checksum-crc64nvme:%%s\r\n\r\n", content[:0x10000], len(content)-0x10000, content[0x10000:])
	signed := strings.NewReplacer("10000\r\n", "10000;chunk-signature=00\r\n", "0\r\nx-amz", "0;chunk-signature=00\r\nx-amz").Replace(unsigned)
	const stream = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	for i, test := range []struct {
		kind, body string
		header     http.Header
		status     int
		code       string
	}{
		{stream, fmt.Sprintf(unsigned, sum), nil, 200, ""},
		{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", fmt.Sprintf(signed, sum), nil, 200, ""},
		{stream, fmt.Sprintf(unsigned, "AAAAAAAAAAA="), nil, 400, "BadDigest"},
		{stream, fmt.Sprintf(unsigned, sum)[:70_000], nil, 400, "IncompleteBody"},
		{stream, content, nil, 400, "IncompleteBody"},
		{"UNSIGNED-PAYLOAD", content, http.Header{"X-Amz-Checksum-Crc64nvme": {sum}}, 200, ""},
		{"UNSIGNED-PAYLOAD", content, http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}}, 400, "BadDigest"},
		{"UNSIGNED-PAYLOAD", content, http.Header{"X-Amz-Checksum-Sha256": {sum}}, 400, "BadDigest"},
	} {
		header := http.Header{"X-Amz-Content-Sha256": {test.kind}, "Content-Type": {"text/plain"}}
		maps.Copy(header, test.header)
		if strings.HasPrefix(test.kind, "STREAMING") {
			maps.Copy(header, http.Header{
				"X-Amz-Decoded-Content-Length": {fmt.Sprint(len(content))}, "Content-Encoding": {"gzip,aws-chunked"},
				"X-Amz-Trailer": {"x-amz-checksum-crc64nvme"},
			})
		}
		key := fmt.Sprint("object-", i)
		status, body := request(t, http.MethodPut, server.URL()+"/"+bucket+"/"+key, header, test.body)
		if status != test.status || !strings.Contains(body, test.code) {
			t.Errorf("%d: %d %s", i, status, body)
			continue
		}
		if status == 200 && get(t, client, key) != content {
			t.Errorf("%d: another content is stored", i)
		}
		if _, err := os.Stat(server.Path(bucket, key)); (err == nil) != (status == 200) {
			t.Errorf("%d: stored: %v", i, err)
		}
	}
	head, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("object-0")})
	if err != nil || *head.ContentEncoding != "gzip" {
		t.Errorf("the object's encoding: %v, %v", head, err)
	}
}

func TestTagsAndForms(t *testing.T) {
	server, client := setup(t)
	put(t, client, "a", "x")
	tags, err := client.GetObjectTagging(t.Context(), &awss3.GetObjectTaggingInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	if err != nil || len(tags.TagSet) != 0 {
		t.Errorf("%v, %v", tags, err)
	}
	_, err = client.GetObjectTagging(t.Context(), &awss3.GetObjectTaggingInput{Bucket: aws.String(bucket), Key: aws.String("b")})
	wantCode(t, err, 404, "NoSuchKey")
	_, err = client.PutObjectTagging(t.Context(), &awss3.PutObjectTaggingInput{
		Bucket: aws.String(bucket), Key: aws.String("a"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}},
	})
	wantCode(t, err, 501, "NotImplemented")
	_, err = client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader("x"), Tagging: aws.String("k=v")})
	wantCode(t, err, 501, "NotImplemented")
	form := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nforged\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n"
	status, body := request(t, http.MethodPost, server.URL()+"/"+bucket, http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}, form)
	if status != 501 || !strings.Contains(body, "HTML form") {
		t.Errorf("%d %s", status, body)
	}
	if _, err := os.Stat(server.Path(bucket, "forged")); err == nil {
		t.Error("the form's object is there")
	}
}

// request sends a request that no SDK here would send, and returns the answer.
func request(t *testing.T, method, url string, header http.Header, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(request.Header, header)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestNoPageMayReadAnswers(t *testing.T) {
	server, client := setup(t)
	put(t, client, partKey, "rows")
	for origin, status := range map[string]int{"": 200, server.URL(): 200, "http://evil.example": 403} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/"+bucket+"/"+partKey, nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			request.Header.Set("Origin", origin)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if allowed := answer.Header.Get("Access-Control-Allow-Origin"); answer.StatusCode != status || allowed != "" {
			t.Errorf("origin %q: %d, allowed %q", origin, answer.StatusCode, allowed)
		}
	}
}
