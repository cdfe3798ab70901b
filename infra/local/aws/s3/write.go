package s3

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// Headers that the handler hands down among the metadata, which is all that gofakes3 passes on.
const (
	copySourceIfMatch = "X-Amz-Copy-Source-If-Match"
	errNoFileName     = "the local S3 keeps objects as plain files: this key cannot be a file's name here"
	errFolderAndFile  = "the local S3 keeps objects as plain files: there is an object whose key is a folder of another"
)

// staged is content that is whole, on disk, and not yet an object.
type staged struct {
	path string
	sum  []byte
}

// stage writes content and its headers next to the buckets. Size -1 means all of it.
func (f *folder) stage(content io.Reader, size int64, headers kept) (staged, error) {
	file, err := os.OpenFile(filepath.Join(f.staging, rand.Text()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return staged{}, err
	}
	hash := md5.New()
	written, err := io.Copy(io.MultiWriter(file, hash), content)
	if err == nil && size >= 0 && written != size {
		err = gofakes3.ErrIncompleteBody
	}
	if err == nil {
		err = headers.attach(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(file.Name())
		return staged{}, bare(err)
	}
	return staged{path: file.Name(), sum: hash.Sum(nil)}, nil
}

// bare undoes the join of a single error: gofakes3 looks at the type and does not unwrap.
func bare(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) == 1 {
		return joined.Unwrap()[0]
	}
	return err
}

// publish makes staged content an object if the conditions hold at that moment. Otherwise the content is deleted.
func (f *folder) publish(content staged, bucket, key string, conditions *gofakes3.PutConditions) error {
	err := f.rename(content, bucket, key, conditions)
	if err != nil {
		os.Remove(content.path)
	}
	return err
}

func (f *folder) rename(content staged, bucket, key string, conditions *gofakes3.PutConditions) error {
	if !storable(key) {
		return gofakes3.ErrorMessage(gofakes3.ErrInvalidArgument, errNoFileName)
	}
	f.commit.Lock()
	defer f.commit.Unlock()
	if exists, err := f.BucketExists(bucket); err != nil || !exists {
		return gofakes3.BucketNotFound(bucket)
	}
	if err := f.check(bucket, key, conditions); err != nil {
		return err
	}
	target := f.path(bucket, key)
	err := os.MkdirAll(filepath.Dir(target), 0o700)
	if err == nil {
		err = os.Rename(content.path, target)
	}
	if err != nil {
		f.prune(bucket, target)
		if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.ENOTEMPTY) {
			return gofakes3.ErrorMessage(gofakes3.ErrInvalidArgument, errFolderAndFile)
		}
		return err
	}
	if info, err := os.Stat(target); err == nil {
		f.etags.put(target, info, content.sum)
	}
	return nil
}

// check holds If-None-Match: * and If-Match against the object as it is, with S3's answers: 412, and 404
// for an If-Match where there is nothing.
func (f *folder) check(bucket, key string, conditions *gofakes3.PutConditions) error {
	if conditions == nil {
		return nil
	}
	current, err := f.HeadObject(bucket, key)
	exists := err == nil
	if !exists && !gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
		return err
	}
	if conditions.IfNoneMatch != nil {
		if *conditions.IfNoneMatch != "*" {
			return gofakes3.ErrNotImplemented
		}
		if exists {
			return preconditionFailed("If-None-Match")
		}
	}
	if conditions.IfMatch != nil {
		if !exists {
			return err
		}
		if !matches(*conditions.IfMatch, current.Hash) {
			return preconditionFailed("If-Match")
		}
	}
	return nil
}

func preconditionFailed(condition string) error {
	return gofakes3.ErrorMessage(gofakes3.ErrPreconditionFailed, "At least one of the pre-conditions you specified did not hold: "+condition)
}

func matches(wanted string, sum []byte) bool {
	return wanted == "*" || strings.Trim(wanted, `"`) == hex.EncodeToString(sum)
}

func (f *folder) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	content, err := f.stage(input, size, handedDown(meta))
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	return gofakes3.PutObjectResult{}, f.publish(content, bucket, key, conditions)
}

func (f *folder) CopyObject(fromBucket, fromKey, bucket, key string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	source, info, etag, err := f.open(fromBucket, fromKey)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	defer source.Close()
	if wanted := meta[copySourceIfMatch]; wanted != "" && !matches(wanted, etag) {
		return gofakes3.CopyObjectResult{}, preconditionFailed("x-amz-copy-source-if-match")
	}
	headers := handedDown(meta)
	if meta["X-Amz-Metadata-Directive"] != "REPLACE" {
		headers = readKept(source)
	}
	content, err := f.stage(source, info.Size(), headers)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	if !bytes.Equal(content.sum, etag) { // somebody edits the file by hand at this moment
		os.Remove(content.path)
		return gofakes3.CopyObjectResult{}, gofakes3.ErrConditionalRequestConflict
	}
	result := gofakes3.CopyObjectResult{ETag: gofakes3.FormatETag(etag), LastModified: gofakes3.NewContentTime(time.Now())}
	return result, f.publish(content, bucket, key, nil)
}

func (f *folder) DeleteObject(bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	if !storable(key) {
		return gofakes3.ObjectDeleteResult{}, nil
	}
	f.commit.Lock()
	defer f.commit.Unlock()
	target := f.path(bucket, key)
	if info, err := os.Lstat(target); err != nil || info.IsDir() {
		return gofakes3.ObjectDeleteResult{}, nil // S3 accepts the deletion of a missing key
	}
	if err := os.Remove(target); err != nil && !os.IsNotExist(err) {
		return gofakes3.ObjectDeleteResult{}, err
	}
	f.etags.drop(target)
	f.prune(bucket, target)
	return gofakes3.ObjectDeleteResult{}, nil
}

// prune removes the folders above a file that have become empty: in S3 there are no folders.
func (f *folder) prune(bucket, file string) {
	top := f.path(bucket, "")
	for dir := filepath.Dir(file); len(dir) > len(top); dir = filepath.Dir(dir) {
		if syscall.Rmdir(dir) != nil { // unlike os.Remove it never takes a file
			return
		}
	}
}

func (f *folder) DeleteMulti(bucket string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	for _, key := range keys {
		if _, err := f.DeleteObject(bucket, key); err != nil {
			result.Error = append(result.Error, gofakes3.ErrorResult{Key: key, Code: gofakes3.ErrInternal, Message: "the file could not be removed"})
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}
