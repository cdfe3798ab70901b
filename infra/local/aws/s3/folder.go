package s3

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/johannesboyne/gofakes3"
)

// folder is the gofakes3.Backend: dir/<bucket>/<key>. A bucket's name never begins with a dot, so the staging folder
// is no bucket. It is on the same file system, so a rename is atomic.
type folder struct {
	dir     string
	staging string
	etags   etagCache
	uploads uploads

	// commit is held while a staged file becomes an object or an object goes. So a precondition holds until the
	// rename, and no folder is pruned between its making and its use.
	commit sync.Mutex
}

var (
	_ gofakes3.Backend          = (*folder)(nil)
	_ gofakes3.MultipartBackend = (*folder)(nil)
)

func openFolder(dir string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir, staging: filepath.Join(dir, ".staging")}
	// The files there belong to a server that was killed: its clients never got an answer.
	if err := os.RemoveAll(f.staging); err != nil {
		return nil, err
	}
	return f, os.MkdirAll(f.staging, 0o700)
}

func (f *folder) path(bucket, key string) string {
	return filepath.Join(f.dir, bucket, filepath.FromSlash(key))
}

// storable says whether a key can be a file's name, the same one when read back.
func storable(key string) bool {
	if !filepath.IsLocal(key) || path.Clean(key) != key || strings.ContainsRune(key, 0) {
		return false
	}
	for segment := range strings.SplitSeq(key, "/") {
		if len(segment) > 255 {
			return false
		}
	}
	return true
}

func (f *folder) ListBuckets() ([]gofakes3.BucketInfo, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	var buckets []gofakes3.BucketInfo
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || gofakes3.ValidateBucketName(entry.Name()) != nil {
			continue
		}
		buckets = append(buckets, gofakes3.BucketInfo{Name: entry.Name(), CreationDate: gofakes3.NewContentTime(info.ModTime())})
	}
	return buckets, nil
}

func (f *folder) CreateBucket(name string) error {
	err := os.Mkdir(f.path(name, ""), 0o700)
	if os.IsExist(err) {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	return err
}

func (f *folder) BucketExists(name string) (bool, error) {
	if gofakes3.ValidateBucketName(name) != nil {
		return false, nil
	}
	info, err := os.Stat(f.path(name, ""))
	if os.IsNotExist(err) {
		return false, nil
	}
	return err == nil && info.IsDir(), err
}

func (f *folder) DeleteBucket(name string) error {
	f.commit.Lock()
	defer f.commit.Unlock()
	err := os.Remove(f.path(name, ""))
	if os.IsNotExist(err) {
		return gofakes3.BucketNotFound(name)
	} else if err != nil {
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	return nil
}

func (f *folder) ForceDeleteBucket(name string) error {
	f.commit.Lock()
	defer f.commit.Unlock()
	return os.RemoveAll(f.path(name, ""))
}

// open is an object's file with its ETag. The file stays the same when another PUT replaces the object.
func (f *folder) open(bucket, key string) (file *os.File, info fs.FileInfo, etag []byte, err error) {
	if exists, err := f.BucketExists(bucket); err != nil || !exists {
		return nil, nil, nil, gofakes3.BucketNotFound(bucket)
	}
	if !storable(key) {
		return nil, nil, nil, gofakes3.KeyNotFound(key)
	}
	file, err = os.Open(f.path(bucket, key))
	if err != nil {
		// Not there, or a key below a file: both are no object. Anything else is the machine's fault.
		if os.IsPermission(err) {
			return nil, nil, nil, fmt.Errorf("opening an object: %w", err)
		}
		return nil, nil, nil, gofakes3.KeyNotFound(key)
	}
	info, err = file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = gofakes3.KeyNotFound(key)
	}
	if err == nil {
		etag, err = f.etags.of(file, info)
	}
	if err != nil {
		file.Close()
		return nil, nil, nil, err
	}
	return file, info, etag, nil
}

// stat is open without the file, and without opening it when its ETag is known.
func (f *folder) stat(bucket, key string) (fs.FileInfo, []byte, error) {
	path := f.path(bucket, key)
	if info, err := os.Stat(path); err == nil && storable(key) && info.Mode().IsRegular() {
		if etag, ok := f.etags.get(path, info); ok {
			return info, etag, nil
		}
	}
	file, info, etag, err := f.open(bucket, key)
	if err != nil {
		return nil, nil, err
	}
	return info, etag, file.Close()
}

func (f *folder) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	file, info, etag, err := f.open(bucket, key)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return describe(key, info, etag, readKept(file), io.NopCloser(strings.NewReader(""))), nil
}

func (f *folder) GetObject(bucket, key string, wanted *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	file, info, etag, err := f.open(bucket, key)
	if err != nil {
		return nil, err
	}
	object := describe(key, info, etag, readKept(file), file)
	object.Range, err = wanted.Range(info.Size())
	if err != nil {
		file.Close()
		return nil, err
	}
	if object.Range != nil {
		part := io.NewSectionReader(file, object.Range.Start, object.Range.Length)
		object.Contents = struct {
			io.Reader
			io.Closer
		}{part, file}
	}
	return object, nil
}

func describe(key string, info fs.FileInfo, etag []byte, headers kept, contents io.ReadCloser) *gofakes3.Object {
	contentType := mime.TypeByExtension(path.Ext(key))
	if contentType == "" {
		contentType = "binary/octet-stream" // S3's default
	}
	answer := map[string]string{
		"Last-Modified": info.ModTime().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"),
		"Content-Type":  contentType,
	}
	maps.Copy(answer, headers)
	return &gofakes3.Object{Name: key, Size: info.Size(), Hash: etag, Contents: contents, Metadata: answer}
}
