// Package awscall says who called which operation of an emulated AWS service, and lets a test step in.
//
// The local S3, Firehose and Glue make a Call of every request, hand it to the Hooks that are set, and so
// give two checks their data: which permissions a function uses, and what happens when a function dies
// right before or right after something was stored.
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
	Key    string   // S3 only; for a listing, the prefix
	Keys   []string // S3's DeleteObjects only
	Source string   // S3's CopyObject only: "bucket/key" as the header spells it

	Resource string // elsewhere: the stream's name, "database" or "database/table"

	Caller Caller
}

// Caller is who signed the request. Nothing is verified: locally the names are for telling apart.
type Caller struct {
	AccessKeyID  string // the local Lambda gives each function its name
	SessionToken string // and each worker process a token of its own
}

// CallerOf reads the caller out of a SigV4 request; an unsigned request has the zero Caller.
func CallerOf(r *http.Request) Caller {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	accessKeyID, _, _ := strings.Cut(credential, "/")
	return Caller{AccessKeyID: accessKeyID, SessionToken: r.Header.Get("X-Amz-Security-Token")}
}
