// Package s3 is the local mode's S3: gofakes3 in-process on a folder.
//
// Promise: an object lies as a plain file at <Dir>/<bucket>/<key>, nothing else lies among the objects, and a file
// put there by hand is an object. A write is whole or absent, even if the server is killed: it goes to a file next to
// the buckets and is renamed. Conditional writes (If-None-Match: *, If-Match) are atomic. The ETag is the MD5 of the
// content, also after a multipart upload, and so the same after a restart. A folder has one server at a time: that is
// for the caller to see to.
//
// Reads and writes: Config.Dir. Its subfolder .staging holds unfinished objects. Writes are not synced: they survive
// the death of processes, not of the machine's power.
//
// User metadata and content types lie in extended attributes of the files. Checksums that a client sends are
// compared. It refuses everything else: sub-resources (ACL, tags, policies), versions, uploads by HTML forms (501
// NotImplemented) and keys that are no file name (400 InvalidArgument). Signatures are not verified, so a presigned
// URL is refused only when its time is over.
//
// Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/
package s3

import (
	"context"
	"fmt"

	"github.com/johannesboyne/gofakes3"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/loopback"
)

// Config names the folder of the objects and the hooks.
type Config struct {
	Dir   string        // made when absent
	Addr  string        // default "127.0.0.1:0": loopback, a free port
	Hooks awscall.Hooks // default none, see Server.SetHooks
}

// Server is a running S3.
type Server struct {
	*loopback.Server
	folder *folder
	hooks  awscall.Point
}

// Start serves the folder until Close. ctx bounds the start only. Its URL is the value for AWS_ENDPOINT_URL_S3: an
// address with an IP makes the SDK use path-style requests.
func Start(ctx context.Context, config Config) (*Server, error) {
	folder, err := openFolder(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting the local S3: %w", err)
	}
	server := &Server{folder: folder}
	server.hooks.Set(config.Hooks)
	fake := gofakes3.New(folder, gofakes3.WithTimeSkewLimit(0), gofakes3.WithMetadataSizeLimit(0), gofakes3.WithoutVersioning()).Server()
	server.Server, err = loopback.Serve(ctx, config.Addr, &handler{fake: fake, folder: folder, hooks: &server.hooks})
	if err != nil {
		return nil, fmt.Errorf("starting the local S3: %w", err)
	}
	return server, nil
}

// SetHooks exchanges the hooks. The calls that change something are PutObject, CopyObject,
// CompleteMultipartUpload, DeleteObject and DeleteObjects.
func (s *Server) SetHooks(hooks awscall.Hooks) { s.hooks.Set(hooks) }

// CreateBucket makes the bucket when it is absent.
func (s *Server) CreateBucket(name string) error {
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return fmt.Errorf("creating bucket %q: %w", name, err)
	}
	if err := s.folder.CreateBucket(name); err != nil && !gofakes3.IsAlreadyExists(err) {
		return fmt.Errorf("creating bucket %q: %w", name, err)
	}
	return nil
}

// Path is the file in which an object lies. A key that ends in "/" gives a folder.
func (s *Server) Path(bucket, key string) string { return s.folder.path(bucket, key) }
