// Package awscall names the caller and the operation of a request to an emulated AWS service, and lets a test step
// in.
//
// The local S3, Firehose and Glue make a Call of every request and hand it to the Hooks that are set. Two checks need
// it: which permissions a function uses, and how the workflow goes on if a function dies right before or right after
// a write.
//
// Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
package awscall

import (
	"net/http"
	"strings"
)

// The account and the region that everything local claims to be in.
const (
	Account = "000000000000"
	Region  = "us-east-1"
	RoleARN = "arn:aws:iam::" + Account + ":role/local"
)

// Call is one request to an emulated service.
type Call struct {
	Service   string // "s3", "firehose" or "glue": the prefix of IAM actions
	Operation string // as the API reference spells it: "PutObject"

	Bucket string   // S3 only
	Key    string   // S3 only. For a listing, the prefix
	Keys   []string // S3's DeleteObjects only
	Source string   // S3's CopyObject only: "bucket/key" as the header spells it

	Resource string // elsewhere: the stream's name, "database" or "database/table"

	Caller Caller
}

// Caller is the signer of the request. Nothing is verified: locally the names are for telling apart.
type Caller struct {
	AccessKeyID  string // the local Lambda gives each function its name
	SessionToken string // and each worker process a token of its own
}

// CallerOf reads the caller out of a SigV4 request. An unsigned request has the zero Caller.
func CallerOf(r *http.Request) Caller {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	accessKeyID, _, _ := strings.Cut(credential, "/")
	return Caller{AccessKeyID: accessKeyID, SessionToken: r.Header.Get("X-Amz-Security-Token")}
}
