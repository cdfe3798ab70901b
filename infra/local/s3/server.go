// Package s3 is the local mode's S3: gofakes3 in-process on a folder.
//
// Promise: an object lies as a plain file at <Dir>/<bucket>/<key>, nothing else lies among the objects, and
// a file put there by hand is an object. A write is whole or absent, whoever is killed when: it goes to a
// file beside the buckets and is renamed. Conditional writes (If-None-Match: *, If-Match) are atomic. The
// ETag is the MD5 of the content, also after a multipart upload, and so the same after a restart.
//
// Reads and writes: Config.Dir; its subfolder .staging holds what is not yet an object. Writes are not
// synced: they survive the death of processes, not of the machine's power.
//
// What it cannot do it refuses: sub-resources (ACL, tags, policies), versions, user metadata (501
// NotImplemented) and keys that are no file name (400 InvalidArgument). Signatures are not verified.
//
// Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/
package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/johannesboyne/gofakes3"

	"recsys/infra/local/awscall"
)

// Config says where the objects lie and who listens in.
type Config struct {
	Dir   string        // made when absent
	Addr  string        // default "127.0.0.1:0": loopback, a free port
	Hooks awscall.Hooks // default none; see Server.SetHooks
}

// Server is a running S3.
type Server struct {
	folder *folder
	hooks  awscall.Point
	http   *http.Server
	url    string
}

// Start serves the folder until Close; ctx bounds the start only.
func Start(ctx context.Context, config Config) (*Server, error) {
	folder, err := openFolder(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting the local S3: %w", err)
	}
	addr := config.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting the local S3: %w", err)
	}
	server := &Server{folder: folder, url: "http://" + listener.Addr().String()}
	server.hooks.Set(config.Hooks)
	fake := gofakes3.New(folder, gofakes3.WithTimeSkewLimit(0), gofakes3.WithoutVersioning()).Server()
	server.http = &http.Server{
		Handler:           &handler{fake: fake, folder: folder, hooks: &server.hooks},
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.http.Serve(listener) }() // returns when Close is called
	return server, nil
}

// URL is what AWS_ENDPOINT_URL_S3 wants; an address with an IP makes the SDK use path-style requests.
func (s *Server) URL() string { return s.url }

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

// Path is the file in which an object lies; a key that ends in "/" gives a folder.
func (s *Server) Path(bucket, key string) string { return s.folder.path(bucket, key) }

// Close lets requests under way finish for up to 5 seconds and stops listening.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.http.Close()
	}
	return err
}
