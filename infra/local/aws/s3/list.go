package s3

import (
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// maxListed is S3's limit of a page.
const maxListed = 1000

// ListBucket gives one page in the byte order of the keys, as S3 does. It walks only the folders that the prefix and
// the marker leave. With the delimiter "/" it does not go below a common prefix.
func (f *folder) ListBucket(bucket string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	walk := listing{folder: f, bucket: bucket, marker: page.Marker, limit: maxListed, page: gofakes3.NewObjectList()}
	if prefix != nil {
		walk.prefix, walk.delimiter = prefix.Prefix, prefix.Delimiter
	}
	if walk.delimiter != "" && walk.delimiter != "/" {
		return nil, gofakes3.ErrNotImplemented
	}
	if page.MaxKeys > 0 {
		walk.limit = min(maxListed, int(page.MaxKeys))
	}
	_, err := walk.below("")
	return walk.page, err
}

type listing struct {
	folder    *folder
	bucket    string
	prefix    string
	delimiter string
	marker    string // list the keys after it
	limit     int
	last      string // the last listed key: the next page's marker
	listed    int
	page      *gofakes3.ObjectList
}

// below lists the folder dir ("" or ending in "/"). full says that the page is full.
func (l *listing) below(dir string) (full bool, err error) {
	entries, err := os.ReadDir(l.folder.path(l.bucket, dir))
	if err != nil && !os.IsNotExist(err) { // pruned by a delete meanwhile
		return false, err
	}
	// As a key, a folder ends in "/": that orders "a-b" before "a/c". os.ReadDir orders by the bare names.
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(keyName(a), keyName(b)) })
	for _, entry := range entries {
		full, err := l.entry(dir+keyName(entry), entry)
		if err != nil || full {
			return full, err
		}
	}
	return false, nil
}

func keyName(entry fs.DirEntry) string {
	if entry.IsDir() {
		return entry.Name() + "/"
	}
	return entry.Name()
}

func (l *listing) entry(key string, entry fs.DirEntry) (full bool, err error) {
	inside := strings.HasPrefix(key, l.prefix)
	if !entry.IsDir() {
		if !inside || key <= l.marker || !entry.Type().IsRegular() {
			return false, nil
		}
		return l.object(key)
	}
	leadsToPrefix := strings.HasPrefix(l.prefix, key)
	listedBefore := key <= l.marker && !strings.HasPrefix(l.marker, key)
	if !inside && !leadsToPrefix || listedBefore {
		return false, nil
	}
	if l.delimiter == "" || leadsToPrefix {
		return l.below(key)
	}
	if key == l.marker || !l.hasObject(key) {
		return false, nil
	}
	return l.add(key, func() { l.page.AddPrefix(key) }), nil
}

func (l *listing) object(key string) (full bool, err error) {
	if l.listed == l.limit {
		return l.add(key, nil), nil
	}
	info, etag, err := l.folder.stat(l.bucket, key)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) { // deleted meanwhile
		return false, nil
	} else if err != nil {
		return false, err
	}
	return l.add(key, func() {
		l.page.Add(&gofakes3.Content{
			Key: key, Size: info.Size(), ETag: gofakes3.FormatETag(etag),
			LastModified: gofakes3.NewContentTime(info.ModTime()), StorageClass: gofakes3.StorageStandard,
		})
	}), nil
}

// add puts one more on the page, or finds that there is one more than the page holds.
func (l *listing) add(key string, put func()) (full bool) {
	if l.listed == l.limit {
		l.page.IsTruncated, l.page.NextMarker = true, l.last
		return true
	}
	put()
	l.last = key
	l.listed++
	return false
}

// hasObject is false for a folder that somebody made by hand: S3 has no empty ones.
func (l *listing) hasObject(dir string) bool {
	found := false
	_ = fs.WalkDir(os.DirFS(l.folder.path(l.bucket, dir)), ".", func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}
