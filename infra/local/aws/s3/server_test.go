package s3_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/s3"
	"recsys/shared/runtime/awsconfig"
)

const (
	bucket  = "lake"
	partKey = "ratings_ml_training/snapshot=x/customerNumber=103/part-0000.parquet"
)

func setup(t testing.TB) (*s3.Server, *awss3.Client) {
	t.Helper()
	return start(t, t.TempDir())
}

func start(t testing.TB, dir string) (*s3.Server, *awss3.Client) {
	t.Helper()
	server, err := s3.Start(t.Context(), s3.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	return server, client(server)
}

// client is as the functions have it: an endpoint and credentials, nothing else said.
func client(server *s3.Server) *awss3.Client {
	return awss3.New(awss3.Options{
		Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil), BaseEndpoint: aws.String(server.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("partition-write", "local", "partition-write/7"),
	})
}

func put(t testing.TB, client *awss3.Client, key, body string) (etag string) {
	t.Helper()
	out, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ETag
}

func get(t testing.TB, client *awss3.Client, key string) string {
	t.Helper()
	out, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func etagOf(content string) string {
	sum := md5.Sum([]byte(content))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// wantCode is an error as AWS would answer it.
func wantCode(t testing.TB, err error, status int, code string) {
	t.Helper()
	var api smithy.APIError
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &api) || api.ErrorCode() != code || !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Fatalf("got %v, want %d %s", err, status, code)
	}
}

// files is everything under the server's folder, as slash paths.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(dir, path)
			found = append(found, filepath.ToSlash(relative))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestObjectsArePlainFiles(t *testing.T) {
	dir := t.TempDir()
	server, client := start(t, dir)
	if etag := put(t, client, partKey, "rows"); etag != etagOf("rows") {
		t.Errorf("ETag %s, want the MD5 %s", etag, etagOf("rows"))
	}
	if got := files(t, dir); len(got) != 1 || got[0] != bucket+"/"+partKey {
		t.Fatalf("files %q", got)
	}
	content, err := os.ReadFile(server.Path(bucket, partKey))
	if err != nil || string(content) != "rows" {
		t.Fatalf("file holds %q, %v", content, err)
	}
	if err := os.WriteFile(server.Path(bucket, "by-hand.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := get(t, client, "by-hand.json"); got != "{}" {
		t.Errorf("a file put there by hand reads %q", got)
	}
	if _, err := client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(partKey)}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(server.Path(bucket, "ratings_ml_training")); !os.IsNotExist(err) {
		t.Errorf("the empty folder is left: %v", err)
	}
}

func TestETagSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	server, client1 := start(t, dir)
	etag := put(t, client1, "a", "one")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, client2 := start(t, dir)
	head, err := client2.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	if err != nil || *head.ETag != etag {
		t.Fatalf("ETag %v, %v, want %s", head, err, etag)
	}
}

func TestMissing(t *testing.T) {
	_, client := setup(t)
	_, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")})
	wantCode(t, err, 404, "NoSuchKey")
	_, err = client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")})
	wantCode(t, err, 404, "NotFound")
	_, err = client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String("nowhere"), Key: aws.String("a"), Body: strings.NewReader("")})
	wantCode(t, err, 404, "NoSuchBucket")
	_, err = client.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String("nowhere")})
	wantCode(t, err, 404, "NoSuchBucket")
	_, err = client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")})
	if err != nil {
		t.Errorf("deleting what is not there: %v", err)
	}
}

func TestRangeAndConditionalReads(t *testing.T) {
	_, client := setup(t)
	etag := put(t, client, "a", "0123456789")
	read := func(in awss3.GetObjectInput) (string, error) {
		in.Bucket, in.Key = aws.String(bucket), aws.String("a")
		out, err := client.GetObject(t.Context(), &in)
		if err != nil {
			return "", err
		}
		defer out.Body.Close()
		body, err := io.ReadAll(out.Body)
		return string(body), err
	}
	for asked, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89", "bytes=8-99": "89"} {
		if got, err := read(awss3.GetObjectInput{Range: &asked, IfMatch: &etag}); err != nil || got != want {
			t.Errorf("%s: %q, %v", asked, got, err)
		}
	}
	_, err := read(awss3.GetObjectInput{Range: aws.String("bytes=10-")})
	wantCode(t, err, 416, "InvalidRange")
	_, err = read(awss3.GetObjectInput{IfMatch: aws.String(etagOf("other"))})
	wantCode(t, err, 412, "PreconditionFailed")
	_, err = client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), IfMatch: aws.String(etagOf("other"))})
	wantCode(t, err, 412, "PreconditionFailed")
}

func TestConditionalWrites(t *testing.T) {
	_, client := setup(t)
	write := func(key, body string, ifMatch, ifNoneMatch *string) error {
		_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{
			Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(body), IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
		})
		return err
	}
	wantCode(t, write("a", "one", aws.String(etagOf("one")), nil), 404, "NoSuchKey")
	if err := write("a", "one", nil, aws.String("*")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, write("a", "two", nil, aws.String("*")), 412, "PreconditionFailed")
	wantCode(t, write("a", "two", aws.String(etagOf("two")), nil), 412, "PreconditionFailed")
	if err := write("a", "two", aws.String(etagOf("one")), nil); err != nil {
		t.Fatal(err)
	}
	if got := get(t, client, "a"); got != "two" {
		t.Errorf("holds %q", got)
	}
}

func TestConditionalWritesAreAtomic(t *testing.T) {
	dir := t.TempDir()
	_, client := start(t, dir)
	const writers, rounds = 8, 20
	for round := range rounds {
		key, won := fmt.Sprintf("created-%d", round), atomic.Int32{}
		var all sync.WaitGroup
		for writer := range writers {
			all.Go(func() {
				_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{
					Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(fmt.Sprint(writer)), IfNoneMatch: aws.String("*"),
				})
				if err == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d writers created the object", won.Load())
		}
	}
	// A counter that is read, increased and put under If-Match loses no increase.
	put(t, client, "counter", "")
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for done := 0; done < rounds; {
				if increase(t, client) {
					done++
				}
			}
		})
	}
	all.Wait()
	if got := len(get(t, client, "counter")); got != writers*rounds {
		t.Errorf("counted %d, want %d", got, writers*rounds)
	}
	for _, file := range files(t, dir) {
		if strings.HasPrefix(file, ".staging/") {
			t.Errorf("left behind: %s", file)
		}
	}
}

func increase(t *testing.T, client *awss3.Client) bool {
	out, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("counter")})
	if err != nil {
		t.Error(err)
		return true
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil || etagOf(string(content)) != *out.ETag {
		t.Errorf("content of another version than the ETag's: %v", err)
		return true
	}
	_, err = client.PutObject(t.Context(), &awss3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("counter"), Body: bytes.NewReader(append(content, '+')), IfMatch: out.ETag,
	})
	return err == nil
}

func TestCopy(t *testing.T) {
	_, client := setup(t)
	etag := put(t, client, "embeddings/items.csv", "one")
	copyIf := func(etag string) (*awss3.CopyObjectOutput, error) {
		return client.CopyObject(t.Context(), &awss3.CopyObjectInput{
			Bucket: aws.String(bucket), Key: aws.String("versions/1/embeddings/items.csv"),
			CopySource: aws.String(bucket + "/embeddings/items.csv"), CopySourceIfMatch: &etag,
		})
	}
	_, err := copyIf(etagOf("other"))
	wantCode(t, err, 412, "PreconditionFailed")
	out, err := copyIf(etag)
	if err != nil || *out.CopyObjectResult.ETag != etag {
		t.Fatalf("%v, %v", out, err)
	}
	put(t, client, "embeddings/items.csv", "overwritten")
	if got := get(t, client, "versions/1/embeddings/items.csv"); got != "one" {
		t.Errorf("the copy became %q", got)
	}
}

func TestMultipart(t *testing.T) {
	dir := t.TempDir()
	_, client := start(t, dir)
	key := aws.String("big")
	begun, err := client.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	contents := []string{strings.Repeat("a", 5<<20), strings.Repeat("b", 100)}
	var parts []types.CompletedPart
	for i, content := range contents {
		number := aws.Int32(int32(i + 1))
		out, err := client.UploadPart(t.Context(), &awss3.UploadPartInput{
			Bucket: aws.String(bucket), Key: key, UploadId: begun.UploadId, PartNumber: number, Body: strings.NewReader(content),
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: out.ETag})
	}
	put(t, client, "big", "was here")
	complete := func(ifNoneMatch *string) error {
		_, err := client.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{
			Bucket: aws.String(bucket), Key: key, UploadId: begun.UploadId, IfNoneMatch: ifNoneMatch,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		return err
	}
	wantCode(t, complete(aws.String("*")), 412, "PreconditionFailed")
	if err := complete(nil); err != nil {
		t.Fatal(err)
	}
	if got := get(t, client, "big"); got != strings.Join(contents, "") {
		t.Errorf("%d bytes came back", len(got))
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("left behind: %q", got)
	}
	wantCode(t, complete(nil), 404, "NoSuchUpload")
}

func TestDeleteObjects(t *testing.T) {
	server, client := setup(t)
	var recorded []awscall.Call
	server.SetHooks(awscall.Hooks{Record: func(call awscall.Call) { recorded = append(recorded, call) }})
	objects := []types.ObjectIdentifier{{Key: aws.String("a/1")}, {Key: aws.String("a/2")}, {Key: aws.String("none")}}
	put(t, client, "a/1", "")
	put(t, client, "a/2", "")
	out, err := client.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: aws.String(bucket), Delete: &types.Delete{Objects: objects}})
	if err != nil || len(out.Deleted) != 3 || len(out.Errors) != 0 {
		t.Fatalf("%v, %v", out, err)
	}
	last := recorded[len(recorded)-1]
	if last.Operation != "DeleteObjects" || strings.Join(last.Keys, " ") != "a/1 a/2 none" {
		t.Errorf("recorded %+v", last)
	}
	tooMany := slices.Repeat(objects[:1], 1001)
	_, err = client.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: aws.String(bucket), Delete: &types.Delete{Objects: tooMany}})
	wantCode(t, err, 400, "MalformedXML")
}

func TestUnsupportedIsRefused(t *testing.T) {
	server, client := setup(t)
	_, err := client.PutObjectTagging(t.Context(), &awss3.PutObjectTaggingInput{
		Bucket: aws.String(bucket), Key: aws.String("a"), Tagging: &types.Tagging{TagSet: []types.Tag{}},
	})
	wantCode(t, err, 501, "NotImplemented")
	put(t, client, "a", "")
	for _, key := range []string{"a/b", "folder/", "x//y", "x/../y"} {
		_, err = client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader("")})
		wantCode(t, err, 400, "InvalidArgument")
	}
	if got := files(t, filepath.Dir(server.Path(bucket, ""))); len(got) != 1 {
		t.Errorf("files %q", got)
	}
}

func TestHooks(t *testing.T) {
	server, client := setup(t)
	var mu sync.Mutex
	var seen []string
	failAt := ""
	hook := func(moment string) func(awscall.Call) error {
		return func(call awscall.Call) error {
			mu.Lock()
			defer mu.Unlock()
			if call.Caller != (awscall.Caller{AccessKeyID: "partition-write", SessionToken: "partition-write/7"}) {
				t.Errorf("caller %+v", call.Caller)
			}
			seen = append(seen, moment+" "+call.Operation+" "+call.Key)
			if moment == failAt {
				return errors.New("the process is dead")
			}
			return nil
		}
	}
	server.SetHooks(awscall.Hooks{Before: hook("before"), After: hook("after")})
	write := func(body string) error {
		_, err := client.PutObject(context.WithoutCancel(t.Context()), &awss3.PutObjectInput{
			Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader(body),
		})
		return err
	}
	if err := write("one"); err != nil {
		t.Fatal(err)
	}
	failAt = "before"
	if err := write("two"); err == nil || get(t, client, "a") != "one" {
		t.Errorf("before: %v, holds %q", err, get(t, client, "a"))
	}
	failAt = "after"
	var response interface{ HTTPStatusCode() int }
	if err := write("three"); err == nil || errors.As(err, &response) && response.HTTPStatusCode() != 0 || get(t, client, "a") != "three" {
		t.Errorf("after: %v, holds %q", err, get(t, client, "a"))
	}
	want := "before PutObject a, after PutObject a, before PutObject a, before PutObject a, after PutObject a"
	if got := strings.Join(seen, ", "); got != want {
		t.Errorf("seen %s", got)
	}
}

// A body that breaks off leaves the object as it was.
func TestHalfAPutIsNothing(t *testing.T) {
	dir := t.TempDir()
	server, client := start(t, dir)
	put(t, client, "a", "whole")
	body, writer := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL()+"/"+bucket+"/a", body)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 100
	go func() {
		_, _ = writer.Write([]byte("half"))
		writer.CloseWithError(errors.New("killed"))
	}()
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		if response.StatusCode < 300 {
			t.Errorf("answered %s", response.Status)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(server.Path(bucket, "a")); string(content) != "whole" || len(files(t, dir)) != 1 {
		t.Errorf("holds %q, files %q", content, files(t, dir))
	}
}
