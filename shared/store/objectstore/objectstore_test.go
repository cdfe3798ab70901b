package objectstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/failure"
	"recsys/shared/runtime/awsconfig"
	"recsys/shared/store/objectstore"
)

func TestConditionsAreDecidedByTheStore(t *testing.T) {
	store, _ := s3test.ForTest(t, "things")
	ctx := t.Context()
	first, err := store.Put(ctx, "a", strings.NewReader("one"), objectstore.IfAbsent())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(ctx, "a", strings.NewReader("two"), objectstore.IfAbsent()); !errors.Is(err, objectstore.ErrPrecondition) {
		t.Errorf("a second put of what must be absent: %v", err)
	}
	second, err := store.Put(ctx, "a", strings.NewReader("two"), objectstore.IfMatch(first))
	if err != nil || second == first {
		t.Errorf("a put over the ETag that is there: %q, %v", second, err)
	}
	if _, err := store.Put(ctx, "a", strings.NewReader("three"), objectstore.IfMatch(first)); !errors.Is(err, objectstore.ErrPrecondition) {
		t.Errorf("a put over an ETag that is gone: %v", err)
	}
	if _, err := store.Copy(ctx, "a", "b", first); !errors.Is(err, objectstore.ErrPrecondition) {
		t.Errorf("a copy of an ETag that is gone: %v", err)
	}
	copied, err := store.Copy(ctx, "a", "b", second)
	if err != nil {
		t.Errorf("a copy: %v", err)
	}
	if got, object, err := store.Get(ctx, "b", 100); err != nil || string(got) != "two" || object.ETag != copied {
		t.Errorf("the copy, %s, holds %q, %+v, %v", copied, got, object, err)
	}
}

func TestAbsenceIsToldFromFailure(t *testing.T) {
	store, server := s3test.ForTest(t, "things")
	ctx := t.Context()
	if _, _, err := store.Get(ctx, "nothing", 1); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := store.Head(ctx, "nothing"); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("head: %v", err)
	}
	if _, err := objectstore.New(clientOf(server.URL()), "misspelt").Head(ctx, "nothing"); !errors.Is(err, failure.ObjectStoreUnavailable) || errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("head in a bucket that is not there: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Get(ctx, "nothing", 1); !errors.Is(err, failure.ObjectStoreUnavailable) || errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("get from a store that is away: %v", err)
	}
}

func TestReadingIsBounded(t *testing.T) {
	store, _ := s3test.ForTest(t, "things")
	ctx := t.Context()
	if _, err := store.PutJSON(ctx, "a.json", map[string]int{"n": 7}); err != nil {
		t.Fatal(err)
	}
	var value struct{ N int }
	if object, err := store.GetJSON(ctx, "a.json", 7, &value); err != nil || value.N != 7 || object.Size != 7 {
		t.Errorf("got %+v of %+v, %v", value, object, err)
	}
	if _, _, err := store.Get(ctx, "a.json", 6); err == nil || !strings.Contains(err.Error(), "larger than 6 bytes") {
		t.Errorf("an object over the limit: %v", err)
	}
}

func TestDownloadIsReadable(t *testing.T) {
	store, _ := s3test.ForTest(t, "things")
	content := bytes.Repeat([]byte("0123456789"), 1<<16)
	if _, err := store.Put(t.Context(), "big", bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	file, object, err := store.Download(t.Context(), "big")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, err := io.ReadAll(io.NewSectionReader(file, 0, object.Size))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("read %d of %d bytes back, %v", len(got), len(content), err)
	}
}

// A file that cannot grow is no fault of S3's: tried again elsewhere it may fit, but nobody has to look at S3.
func TestAFullDiskIsNotTheStores(t *testing.T) {
	store, _ := s3test.ForTest(t, "things")
	if _, err := store.Put(t.Context(), "big", bytes.NewReader(make([]byte, 1<<20))); err != nil {
		t.Fatal(err)
	}
	limitFiles(t, 1<<16)
	if _, _, err := store.Download(t.Context(), "big"); !errors.Is(err, syscall.EFBIG) || errors.Is(err, failure.ObjectStoreUnavailable) {
		t.Errorf("got %v", err)
	}
}

// limitFiles lets no file of this process grow over so many bytes.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ) // comes beside the error
	t.Cleanup(func() { signal.Reset(syscall.SIGXFSZ) })
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	})
}

func clientOf(url string) *s3.Client {
	return s3.New(s3.Options{
		Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil), BaseEndpoint: aws.String(url), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

// An answer that breaks off half way has the store's name for every reader.
func TestABrokenAnswerIsTheStores(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "the first bytes")
	}))
	t.Cleanup(server.Close)
	store := objectstore.New(clientOf(server.URL), "things")
	for name, read := range map[string]func() error{
		"get":      func() error { _, _, err := store.Get(t.Context(), "a", 1000); return err },
		"download": func() error { _, _, err := store.Download(t.Context(), "a"); return err },
		"open": func() error {
			content, _, err := store.Open(t.Context(), "a")
			if err != nil {
				return err
			}
			defer content.Close()
			_, err = io.Copy(io.Discard, content)
			return err
		},
	} {
		if err := read(); !errors.Is(err, failure.ObjectStoreUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// More keys than S3 lists, or deletes, in one request.
func TestListingAndDeletingInPages(t *testing.T) {
	store, _ := s3test.ForTest(t, "things")
	ctx := t.Context()
	var want []string
	for i := range 1001 {
		key := fmt.Sprintf("old/%04d", i)
		want = append(want, key)
		if _, err := store.Put(ctx, key, bytes.NewReader(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Put(ctx, "new/x", bytes.NewReader(nil)); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := store.List(ctx, "old/", func(object objectstore.Object) error {
		got = append(got, object.Key)
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("listed %d keys of %d, %v", len(got), len(want), err)
	}
	if folders, err := store.Folders(ctx, ""); err != nil || !slices.Equal(folders, []string{"new/", "old/"}) {
		t.Errorf("folders %v, %v", folders, err)
	}
	if deleted, err := store.DeletePrefix(ctx, "old/"); err != nil || deleted != len(want) {
		t.Errorf("deleted %d, %v", deleted, err)
	}
	if folders, err := store.Folders(ctx, ""); err != nil || !slices.Equal(folders, []string{"new/"}) {
		t.Errorf("folders left: %v, %v", folders, err)
	}
}
