// Package objectstore is one S3 bucket as the steps use it: whole objects in, whole objects out.
//
// Promise: an object is put by one request, so it is there whole or not at all. S3 decides a conditional put.
// Failures are failure.ObjectStoreUnavailable except for the two that callers decide on: ErrNotFound and
// ErrPrecondition.
package objectstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"recsys/shared/contract/failure"
	"recsys/shared/runtime/awsconfig"
)

var (
	// ErrNotFound: there is no object of that key.
	ErrNotFound = errors.New("no such object")
	// ErrPrecondition: a conditional put or copy found another state of the bucket than it named.
	ErrPrecondition = errors.New("the object has changed or exists already")
)

// Store is one bucket. Safe for concurrent use.
type Store struct {
	client *s3.Client
	bucket string
}

// Object is S3's metadata of an object.
type Object struct {
	Key      string
	ETag     string // with its quotes, as S3 gives it
	Size     int64  // bytes
	Modified time.Time
}

// New opens a bucket with a client that the process shares.
func New(client *s3.Client, bucket string) *Store { return &Store{client, bucket} }

// NewClient makes the S3 client of this process from the environment. An endpoint of one's own
// (AWS_ENDPOINT_URL_S3) is addressed by path, since its host name seldom has the bucket in front.
func NewClient(ctx context.Context, options ...func(*s3.Options)) (*s3.Client, error) {
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = hasOwnEndpoint()
		o.DisableLogOutputChecksumValidationSkipped = true // a server without checksums is no news
		for _, option := range options {
			option(o)
		}
	}), nil
}

// throttledAttempts outlast the minutes that S3 takes to give a new prefix more than its 3,500 puts a second.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
const throttledAttempts = 10

// Throttled is an option for a client that puts more objects than S3 takes at first. When S3 says SlowDown, the client
// puts fewer a second until S3 takes them all. The SDK's quota of retries is off, because a burst of refusals uses it up.
func Throttled(o *s3.Options) {
	o.Retryer = retry.NewAdaptiveMode(func(adaptive *retry.AdaptiveModeOptions) {
		adaptive.StandardOptions = append(adaptive.StandardOptions, func(standard *retry.StandardOptions) {
			standard.MaxAttempts, standard.RateLimiter = throttledAttempts, ratelimit.None
		})
	})
}

func hasOwnEndpoint() bool {
	return os.Getenv("AWS_ENDPOINT_URL_S3") != "" || os.Getenv("AWS_ENDPOINT_URL") != ""
}

// Bucket is the bucket's name.
func (s *Store) Bucket() string { return s.bucket }

// URI is the object's address as Athena, Spark and people write it.
func (s *Store) URI(key string) string { return "s3://" + s.bucket + "/" + key }

// PutOption restricts a put, or says more of the object.
type PutOption func(*s3.PutObjectInput)

// ContentType is the object's media type, for browsers. Default: S3's, binary.
func ContentType(mediaType string) PutOption {
	return func(in *s3.PutObjectInput) { in.ContentType = &mediaType }
}

// IfAbsent lets the put succeed only where there is no object yet.
func IfAbsent() PutOption {
	return func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }
}

// IfMatch lets the put succeed only over the object of this ETag.
func IfMatch(etag string) PutOption {
	return func(in *s3.PutObjectInput) { in.IfMatch = aws.String(etag) }
}

// Put stores an object of up to 5 GB in one request and returns its ETag.
func (s *Store) Put(ctx context.Context, key string, body io.ReadSeeker, options ...PutOption) (etag string, err error) {
	in := &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, Body: body}
	for _, option := range options {
		option(in)
	}
	out, err := s.client.PutObject(ctx, in)
	if err != nil {
		return "", s.wrap("putting", key, err)
	}
	return aws.ToString(out.ETag), nil
}

// PutFile stores a file from its start, wherever it was written last.
func (s *Store) PutFile(ctx context.Context, key string, file *os.File, options ...PutOption) (etag string, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("rewinding a file for %s: %w", key, err)
	}
	return s.Put(ctx, key, file, options...)
}

// PutJSON stores a value as JSON.
func (s *Store) PutJSON(ctx context.Context, key string, value any, options ...PutOption) (etag string, err error) {
	body, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encoding %s: %w", key, err)
	}
	return s.Put(ctx, key, bytes.NewReader(body), options...)
}

// Open streams an object. The caller closes it. A failure of the transfer is ObjectStoreUnavailable. So it can be
// told from faults of the reader, such as a full disk or a wrong row.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return nil, Object{}, s.wrap("reading", key, err)
	}
	object := Object{key, aws.ToString(out.ETag), aws.ToInt64(out.ContentLength), aws.ToTime(out.LastModified)}
	return body{out.Body, s, key}, object, nil
}

// body names the errors of an object's content where they arise.
type body struct {
	io.ReadCloser
	store *Store
	key   string
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.store.wrap("reading", b.key, err)
	}
	return n, err
}

// Get reads an object of at most limit bytes. A larger one is an error.
func (s *Store) Get(ctx context.Context, key string, limit int64) ([]byte, Object, error) {
	body, object, err := s.Open(ctx, key)
	if err != nil {
		return nil, object, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, object, err
	}
	if int64(len(content)) > limit {
		return nil, object, fmt.Errorf("reading %s: larger than %d bytes", s.URI(key), limit)
	}
	return content, object, nil
}

// GetJSON reads a JSON object of at most limit bytes into value.
func (s *Store) GetJSON(ctx context.Context, key string, limit int64, value any) (Object, error) {
	content, object, err := s.Get(ctx, key, limit)
	if err != nil {
		return object, err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return object, fmt.Errorf("decoding %s: %w", s.URI(key), err)
	}
	return object, nil
}

// Download copies an object into a scratch file, since columnar files are read at many places. The file has
// no name any more: closing it frees its space.
func (s *Store) Download(ctx context.Context, key string) (*os.File, Object, error) {
	body, object, err := s.Open(ctx, key)
	if err != nil {
		return nil, object, err
	}
	defer body.Close()
	file, err := Scratch()
	if err != nil {
		return nil, object, err
	}
	if _, err := io.Copy(file, body); err != nil {
		file.Close()
		return nil, object, fmt.Errorf("downloading %s: %w", s.URI(key), err)
	}
	return file, object, nil
}

// Scratch opens a nameless temporary file: a killed process leaves nothing behind.
func Scratch() (*os.File, error) {
	file, err := os.CreateTemp("", "scratch-*")
	if err != nil {
		return nil, fmt.Errorf("opening a scratch file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("unlinking a scratch file: %w", err)
	}
	return file, nil
}

// Head asks for an object without its content.
func (s *Store) Head(ctx context.Context, key string) (Object, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		err = s.wrap("asking for", key, err)
		if errors.Is(err, ErrNotFound) {
			err = cmp.Or(s.missing(ctx), err)
		}
		return Object{}, err
	}
	return Object{key, aws.ToString(out.ETag), aws.ToInt64(out.ContentLength), aws.ToTime(out.LastModified)}, nil
}

// missing is an error where there is no such bucket: the answer to a HEAD, which has no body, does not tell.
func (s *Store) missing(ctx context.Context) error {
	if _, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket}); err != nil {
		return failure.ObjectStoreUnavailable.Errorf("asking for the bucket %s: %w", s.bucket, err)
	}
	return nil
}

// Copy copies within the bucket if the source still has this ETag. Otherwise it returns ErrPrecondition. It returns
// the ETag of the copy, which is another one where an upload in parts or a key of KMS made the source's.
func (s *Store) Copy(ctx context.Context, from, to, etag string) (copied string, err error) {
	out, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &s.bucket, Key: &to, CopySource: aws.String(s.bucket + "/" + from), CopySourceIfMatch: &etag,
	})
	if err != nil {
		return "", s.wrap("copying", from, err)
	}
	return aws.ToString(out.CopyObjectResult.ETag), nil
}

// List calls visit for each object under the prefix, in the order of their keys.
func (s *Store) List(ctx context.Context, prefix string, visit func(Object) error) error {
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s.wrap("listing", prefix, err)
		}
		for _, o := range page.Contents {
			object := Object{aws.ToString(o.Key), aws.ToString(o.ETag), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)}
			if err := visit(object); err != nil {
				return err
			}
		}
	}
	return nil
}

// Folders lists the prefixes one level below this one, each with its closing slash.
func (s *Store) Folders(ctx context.Context, prefix string) ([]string, error) {
	pages := s3.NewListObjectsV2Paginator(s.client,
		&s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix, Delimiter: aws.String("/")})
	var folders []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.wrap("listing", prefix, err)
		}
		for _, folder := range page.CommonPrefixes {
			folders = append(folders, aws.ToString(folder.Prefix))
		}
	}
	return folders, nil
}

func (s *Store) wrap(doing, key string, err error) error {
	var answer *awshttp.ResponseError
	var noBucket *types.NoSuchBucket
	if errors.As(err, &answer) && !errors.As(err, &noBucket) {
		switch answer.HTTPStatusCode() {
		case http.StatusNotFound:
			return fmt.Errorf("%s %s: %w", doing, s.URI(key), ErrNotFound)
		case http.StatusPreconditionFailed:
			return fmt.Errorf("%s %s: %w", doing, s.URI(key), ErrPrecondition)
		}
	}
	return failure.ObjectStoreUnavailable.Errorf("%s %s: %w", doing, s.URI(key), err)
}
