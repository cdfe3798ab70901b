// Package apigateway is the HTTP API in front of a function, on this machine: a request becomes an event of payload format 2.0, and
// the function's answer becomes the response.
//
// POST /v1/activity goes to Kinesis without a function, as the API's own integration does on AWS. The routes under /v1/me need an
// authorizer that checks tokens. There is none here, so they are not found.
//
// Spec: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
package apigateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"recsys/infra/local/aws/loopback"
)

const (
	// maxBody is AWS's limit of a request, in bytes.
	maxBody = 10 << 20
	// patience is AWS's limit of an integration.
	patience = 30 * time.Second
	// ActivityPath takes activity records, MinePrefix is that of the routes with tokens.
	ActivityPath, MinePrefix = "/v1/activity", "/v1/me/"
)

// Config says what is behind the gateway.
type Config struct {
	// Invoke calls the function.
	Invoke func(ctx context.Context, event []byte) ([]byte, error)
	// Put puts an activity record on the stream, and returns its place there.
	Put func(ctx context.Context, record []byte, partition string) (sequence string, err error)
	// Page is a file that is served at /, "" for none. AWS has no such page.
	Page string
}

// Start listens on a free port of this machine.
func Start(ctx context.Context, config Config) (*loopback.Server, error) {
	return loopback.Serve(ctx, "", config)
}

// ServeHTTP answers one request.
func (c Config) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		say(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case err != nil:
		say(w, http.StatusBadRequest, "Bad Request")
	case r.URL.Path == "/" && c.Page != "":
		http.ServeFile(w, r, c.Page)
	case r.URL.Path == ActivityPath && r.Method == http.MethodPost:
		c.put(ctx, w, body)
	case !strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, MinePrefix):
		say(w, http.StatusNotFound, "Not Found")
	default:
		c.invoke(ctx, w, r, body)
	}
}

// say answers as the gateway itself does.
func say(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // the caller may be gone
}

// put takes PutRecord's own body, as the integration does.
func (c Config) put(ctx context.Context, w http.ResponseWriter, body []byte) {
	var record struct {
		Data         []byte // base64
		PartitionKey string
	}
	if err := json.Unmarshal(body, &record); err != nil || len(record.Data) == 0 || record.PartitionKey == "" {
		say(w, http.StatusBadRequest, "want Data, the record in base64, and PartitionKey")
		return
	}
	sequence, err := c.Put(ctx, record.Data, record.PartitionKey)
	if err != nil {
		slog.WarnContext(ctx, "the stream does not take an activity record", "error", err)
		say(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"SequenceNumber": sequence})
}

func (c Config) invoke(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) {
	event, err := json.Marshal(eventOf(r, body))
	if err != nil {
		say(w, http.StatusBadRequest, "Bad Request")
		return
	}
	answer, err := c.Invoke(ctx, event)
	var response events.APIGatewayV2HTTPResponse
	if err == nil {
		err = json.Unmarshal(answer, &response)
	}
	if err != nil {
		slog.WarnContext(ctx, "the function behind the API has failed", "error", err)
		say(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	respond(w, response)
}

func eventOf(r *http.Request, body []byte) events.APIGatewayV2HTTPRequest {
	query, headers := map[string]string{}, map[string]string{}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	headers["host"] = r.Host
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	now := time.Now()
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "$default", RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: headers, QueryStringParameters: query, Body: base64.StdEncoding.EncodeToString(body), IsBase64Encoded: true,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "$default", Stage: "$default", RequestID: uuid.NewString(), DomainName: r.Host, APIID: "local",
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
		},
	}
}

func respond(w http.ResponseWriter, response events.APIGatewayV2HTTPResponse) {
	for _, name := range slices.Sorted(maps.Keys(response.Headers)) {
		w.Header().Set(name, response.Headers[name])
	}
	for name, values := range response.MultiValueHeaders {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(response.Body)
		if err != nil {
			say(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		body = decoded
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body) // the caller may be gone
}
