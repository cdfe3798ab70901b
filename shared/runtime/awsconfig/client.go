package awsconfig

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
)

// HTTPClient wraps the client of the SDK, see client. Nil stands for the SDK's default.
func HTTPClient(inner aws.HTTPClient) aws.HTTPClient {
	if inner == nil {
		inner = awshttp.NewBuildableClient()
	}
	return client{inner, patience}
}

// client is the SDK's own HTTP client, but for the silence that it bears (see watch), and for one method of the bodies
// that it sends.
//
// The SDK closes a request's body when the answer begins. Its body's WriteTo then returns io.EOF (smithy-go 1.28.8,
// transport/http/internal/io/safe.go), and net/http takes that for a failed write, because it looks for more after
// the whole body. If the server is faster than that look, the connection is closed under the answer, and the SDK
// sends the request again. On two busy cores this hits one call of Firehose in some hundreds. Read ends a closed body
// as io.Reader should, so the body is shown as a reader only.
type client struct {
	inner    aws.HTTPClient
	patience func(operation string) time.Duration
}

// Do is aws.HTTPClient's.
func (c client) Do(r *http.Request) (*http.Response, error) {
	operation := middleware.GetOperationName(r.Context())
	w := newWatch(r.Context(), operation, c.patience(operation))
	r = r.WithContext(w.ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = upload{r.Body, w}
	}
	response, err := c.inner.Do(r)
	if err != nil {
		w.end()
		return response, w.explain(err)
	}
	w.answered()
	response.Body = download{response.Body, w}
	return response, nil
}
