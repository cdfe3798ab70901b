package s3

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// minPartBytes is S3's smallest part but for the last.
const minPartBytes = 5 << 20

// uploads are the multipart uploads under way. They end with the server: their clients must begin again.
type uploads struct {
	mu   sync.Mutex
	byID map[gofakes3.UploadID]*upload
}

type upload struct {
	bucket, key string
	begun       time.Time
	headers     kept
	parts       map[int]part
	conditions  *gofakes3.PutConditions // of the CompleteMultipartUpload under way
}

type part struct {
	staged
	size int64
	at   time.Time
}

func (f *folder) CreateMultipartUpload(bucket, key string, meta map[string]string) (gofakes3.UploadID, error) {
	f.uploads.mu.Lock()
	defer f.uploads.mu.Unlock()
	if f.uploads.byID == nil {
		f.uploads.byID = map[gofakes3.UploadID]*upload{}
	}
	id := gofakes3.UploadID(rand.Text())
	f.uploads.byID[id] = &upload{bucket: bucket, key: key, begun: time.Now(), headers: handedDown(meta), parts: map[int]part{}}
	return id, nil
}

// find returns an upload with the lock held if it is there. The caller unlocks.
func (u *uploads) find(bucket, key string, id gofakes3.UploadID) (*upload, error) {
	u.mu.Lock()
	found := u.byID[id]
	if found == nil || found.bucket != bucket || found.key != key {
		u.mu.Unlock()
		return nil, gofakes3.ErrNoSuchUpload
	}
	return found, nil
}

func (f *folder) UploadPart(bucket, key string, id gofakes3.UploadID, number int, size int64, input io.Reader) (string, error) {
	content, err := f.stage(input, size, nil)
	if err != nil {
		return "", err
	}
	upload, err := f.uploads.find(bucket, key, id)
	if err != nil {
		os.Remove(content.path)
		return "", err
	}
	defer f.uploads.mu.Unlock()
	if replaced, ok := upload.parts[number]; ok {
		os.Remove(replaced.path)
	}
	upload.parts[number] = part{staged: content, size: size, at: time.Now()}
	return gofakes3.FormatETag(content.sum), nil
}

// expect sets the conditions of the CompleteMultipartUpload that follows: gofakes3 does not hand them down.
func (f *folder) expect(bucket, key string, id gofakes3.UploadID, conditions *gofakes3.PutConditions) {
	if upload, err := f.uploads.find(bucket, key, id); err == nil {
		upload.conditions = conditions
		f.uploads.mu.Unlock()
	}
}

func (f *folder) CompleteMultipartUpload(bucket, key string, id gofakes3.UploadID, input *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	upload, err := f.uploads.find(bucket, key, id)
	if err != nil {
		return "", "", err
	}
	parts, err := chosenParts(upload, input.Parts)
	conditions := upload.conditions
	f.uploads.mu.Unlock()
	if err != nil {
		return "", "", err
	}
	content, err := f.join(parts, upload.headers)
	if err != nil {
		return "", "", err
	}
	if err := f.publish(content, bucket, key, conditions); err != nil {
		return "", "", err
	}
	return "", gofakes3.FormatETag(content.sum), f.AbortMultipartUpload(bucket, key, id)
}

func chosenParts(upload *upload, wanted []gofakes3.CompletedPart) ([]part, error) {
	if len(wanted) == 0 {
		return nil, gofakes3.ErrMalformedXML
	}
	parts, last := make([]part, 0, len(wanted)), 0
	for i, chosen := range wanted {
		found, ok := upload.parts[chosen.PartNumber]
		switch {
		case chosen.PartNumber <= last:
			return nil, gofakes3.ErrInvalidPartOrder
		case !ok || !matches(chosen.ETag, found.sum):
			return nil, gofakes3.ErrInvalidPart
		case i < len(wanted)-1 && found.size < minPartBytes:
			return nil, gofakes3.ErrorMessage(gofakes3.ErrInvalidArgument, "EntityTooSmall: each part but the last must have at least 5 MiB")
		}
		parts, last = append(parts, found), chosen.PartNumber
	}
	return parts, nil
}

// join stages the parts as one content.
func (f *folder) join(parts []part, headers kept) (staged, error) {
	readers := make([]io.Reader, len(parts))
	var size int64
	for i, part := range parts {
		file, err := os.Open(part.path)
		if err != nil { // another Complete or Abort was faster
			return staged{}, gofakes3.ErrNoSuchUpload
		}
		defer file.Close()
		readers[i] = file
		size += part.size
	}
	return f.stage(io.MultiReader(readers...), size, headers)
}

func (f *folder) AbortMultipartUpload(bucket, key string, id gofakes3.UploadID) error {
	upload, err := f.uploads.find(bucket, key, id)
	if err != nil {
		return err
	}
	defer f.uploads.mu.Unlock()
	delete(f.uploads.byID, id)
	var errs []error
	for _, part := range upload.parts {
		errs = append(errs, os.Remove(part.path))
	}
	return errors.Join(errs...)
}

func (f *folder) ListParts(bucket, key string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	upload, err := f.uploads.find(bucket, key, id)
	if err != nil {
		return nil, err
	}
	defer f.uploads.mu.Unlock()
	result := &gofakes3.ListMultipartUploadPartsResult{
		Bucket: bucket, Key: key, UploadID: id, MaxParts: limit, PartNumberMarker: marker, StorageClass: gofakes3.StorageStandard,
	}
	for _, number := range sortedNumbers(upload.parts) {
		if number <= marker {
			continue
		}
		if int64(len(result.Parts)) == limit {
			result.IsTruncated = true
			break
		}
		part := upload.parts[number]
		result.Parts = append(result.Parts, gofakes3.ListMultipartUploadPartItem{
			PartNumber: number, Size: part.size, ETag: gofakes3.FormatETag(part.sum), LastModified: gofakes3.NewContentTime(part.at),
		})
		result.NextPartNumberMarker = number
	}
	return result, nil
}

func sortedNumbers(parts map[int]part) []int {
	numbers := make([]int, 0, len(parts))
	for number := range parts {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}

// ListMultipartUploads gives all uploads of the prefix on one page: there are never many here.
func (f *folder) ListMultipartUploads(bucket string, _ *gofakes3.UploadListMarker, prefix gofakes3.Prefix, limit int64) (*gofakes3.ListMultipartUploadsResult, error) {
	f.uploads.mu.Lock()
	defer f.uploads.mu.Unlock()
	result := &gofakes3.ListMultipartUploadsResult{Bucket: bucket, Prefix: prefix.Prefix, MaxUploads: limit}
	for id, upload := range f.uploads.byID {
		if upload.bucket == bucket && strings.HasPrefix(upload.key, prefix.Prefix) {
			result.Uploads = append(result.Uploads, gofakes3.ListMultipartUploadItem{
				Key: upload.key, UploadID: id, StorageClass: gofakes3.StorageStandard, Initiated: gofakes3.NewContentTime(upload.begun),
			})
		}
	}
	slices.SortFunc(result.Uploads, func(a, b gofakes3.ListMultipartUploadItem) int { return strings.Compare(a.Key, b.Key) })
	return result, nil
}
