package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"recsys/infra/local/aws/apigateway"
)

// TestRequestsBecomeEventsAndAnswersResponses has a function that answers with parts of its event.
func TestRequestsBecomeEventsAndAnswersResponses(t *testing.T) {
	var taken []string
	server, err := apigateway.Start(t.Context(), apigateway.Config{
		Invoke: func(_ context.Context, event []byte) ([]byte, error) {
			var request events.APIGatewayV2HTTPRequest
			if err := json.Unmarshal(event, &request); err != nil {
				return nil, err
			}
			if request.RawPath == "/v1/broken" {
				return nil, errors.New("the function failed")
			}
			return json.Marshal(events.APIGatewayV2HTTPResponse{StatusCode: http.StatusTeapot, Headers: map[string]string{"x-path": request.RawPath},
				Body: request.RequestContext.HTTP.Method + " " + request.QueryStringParameters["limit"] + " " + request.Headers["x-caller"]})
		},
		Put: func(_ context.Context, record []byte, partition string) (string, error) {
			taken = append(taken, partition+":"+string(record))
			return "7", nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"a question", "GET", "/v1/trending?limit=3", "", http.StatusTeapot, "GET 3 me"},
		{"a function that fails", "GET", "/v1/broken", "", 500, `{"message":"Internal Server Error"}`},
		{"another path", "GET", "/", "", 404, `{"message":"Not Found"}`},
		{"a route with tokens", "GET", "/v1/me/recommendations", "", 404, `{"message":"Not Found"}`},
		{"activity", "POST", "/v1/activity", `{"Data":"e30=","PartitionKey":"a"}`, 200, `{"SequenceNumber":"7"}`},
		{"activity that is not base64", "POST", "/v1/activity", `{"session_id":"a"}`, 400, `{"message":"want Data, the record in base64, and PartitionKey"}`},
		{"more than AWS takes", "POST", "/v1/recommendations", strings.Repeat("x", 10<<20+1), 413, `{"message":"Request Entity Too Large"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL()+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Caller", "me")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.status || strings.TrimSpace(string(body)) != test.answer {
				t.Errorf("status %d: %s, %v", response.StatusCode, body, err)
			}
		})
	}
	if strings.Join(taken, " ") != "a:{}" {
		t.Errorf("the stream took %v", taken)
	}
}
