package awsconfig

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// HTTPClient is what every client of the SDK ought to have; see client. nil stands for the SDK's default.
func HTTPClient(inner aws.HTTPClient) aws.HTTPClient {
	if inner == nil {
		inner = awshttp.NewBuildableClient()
	}
	return client{inner}
}

// client is the SDK's own HTTP client, but for one method of the bodies that it sends.
//
// The SDK closes a request's body when the answer begins, and its body's WriteTo then returns io.EOF
// (smithy-go 1.28.8, transport/http/internal/io/safe.go), which net/http takes for a failed write: having sent all of
// the body it looks whether there is more. Where the server was faster than that look, the connection is closed under
// the answer, and what has been done is done again: on two busy cores one call of Firehose in some hundreds. Read ends a
// closed body as io.Reader should, so the body is shown as a reader only.
type client struct{ inner aws.HTTPClient }

// Do is aws.HTTPClient's.
func (c client) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = reader{r.Body}
	}
	return c.inner.Do(r)
}

type reader struct{ io.ReadCloser }
