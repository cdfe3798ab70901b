package s3_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"recsys/infra/local/aws/s3"
)

// list goes through all pages and gives keys and common prefixes in the order they came.
func list(t testing.TB, client *awss3.Client, prefix, delimiter string, pageSize int32) (keys, prefixes []string) {
	t.Helper()
	in := &awss3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &prefix}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	if pageSize > 0 {
		in.MaxKeys = &pageSize
	}
	pages := awss3.NewListObjectsV2Paginator(client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(page.Contents) + len(page.CommonPrefixes); got > 1000 || pageSize > 0 && got > int(pageSize) {
			t.Fatalf("a page of %d", got)
		}
		for _, object := range page.Contents {
			keys = append(keys, *object.Key)
		}
		for _, common := range page.CommonPrefixes {
			prefixes = append(prefixes, *common.Prefix)
		}
	}
	return keys, prefixes
}

// write makes objects as files, which is quicker than putting them.
func write(t testing.TB, server *s3.Server, keys ...string) {
	t.Helper()
	for _, key := range keys {
		path := server.Path(bucket, key)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListing(t *testing.T) {
	server, client := setup(t)
	all := []string{"_m.json", "a-b", "a.json", "a/1", "a/b/2", "a/b/3", "a0", "b/c/d/e", "ratings/snapshot=1/customerNumber=9/p", "ratings/snapshot=2/customerNumber=10/p"}
	slices.Sort(all)
	write(t, server, all...)
	for _, prefix := range []string{"", "a", "a/", "a/b", "a/b/", "b/c", "ratings/snap", "none", "a/1", "a/1/"} {
		for _, delimiter := range []string{"", "/"} {
			wantKeys, wantPrefixes := expected(all, prefix, delimiter)
			for _, pageSize := range []int32{0, 1, 2, 3} {
				keys, prefixes := list(t, client, prefix, delimiter, pageSize)
				if !slices.Equal(keys, wantKeys) || !slices.Equal(prefixes, wantPrefixes) {
					t.Errorf("prefix %q, delimiter %q, pages of %d: %q %q, want %q %q", prefix, delimiter, pageSize, keys, prefixes, wantKeys, wantPrefixes)
				}
			}
		}
	}
}

// expected is the definition of a listing over a flat, sorted list of keys.
func expected(all []string, prefix, delimiter string) (keys, prefixes []string) {
	for _, key := range all {
		rest, inside := strings.CutPrefix(key, prefix)
		if !inside {
			continue
		}
		if at := strings.Index(rest, "/"); delimiter != "" && at >= 0 {
			if common := prefix + rest[:at+1]; !slices.Contains(prefixes, common) {
				prefixes = append(prefixes, common)
			}
			continue
		}
		keys = append(keys, key)
	}
	return keys, prefixes
}

func TestListingOfManyPages(t *testing.T) {
	server, client := setup(t)
	want := make([]string, 1200)
	for i := range want {
		want[i] = fmt.Sprintf("ratings/customerNumber=%05d/part-0000.parquet", i)
	}
	write(t, server, want...)
	if keys, _ := list(t, client, "ratings/", "", 0); !slices.Equal(keys, want) {
		t.Errorf("%d keys", len(keys))
	}
	if _, prefixes := list(t, client, "ratings/", "/", 0); len(prefixes) != len(want) {
		t.Errorf("%d common prefixes", len(prefixes))
	}
}

func TestStartAfter(t *testing.T) {
	server, client := setup(t)
	write(t, server, "a", "b/1", "b/2", "c")
	out, err := client.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String(bucket), StartAfter: aws.String("b/1")})
	if err != nil || len(out.Contents) != 2 || *out.Contents[0].Key != "b/2" {
		t.Errorf("%+v, %v", out.Contents, err)
	}
}

// BenchmarkPut is the cost of a small object through the real client. A partition of a customer is one.
func BenchmarkPut(b *testing.B) {
	_, client := setup(b)
	body := strings.Repeat("x", 8<<10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		put(b, client, fmt.Sprintf("ratings/customerNumber=%d/part-0000.parquet", n), body)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkList is a listing of 10,000 partitions in pages of 1,000, their ETags known.
func BenchmarkList(b *testing.B) {
	server, client := setup(b)
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("ratings/customerNumber=%d/part-0000.parquet", i)
	}
	write(b, server, keys...)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		found, _ := list(b, client, "ratings/", "", 0)
		n += len(found)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
}
