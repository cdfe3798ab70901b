package awsjson_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/awsjson"
)

type input struct{ Name string }

func (in input) Resource() string { return in.Name }

type output struct{ Greeting string }

func greet(_ context.Context, in input) (output, error) {
	if in.Name == "" {
		return output{}, errors.New("a fault of the server, with details")
	}
	return output{"hello " + in.Name}, nil
}

func TestProtocol(t *testing.T) {
	service := &awsjson.Service{
		Name: "greeting", Target: "Greeting_1", MaxBytes: 100, Hooks: &awscall.Point{},
		Operations: map[string]awsjson.Operation{"Greet": awsjson.Do(true, greet)},
	}
	for name, c := range map[string]struct {
		target, body string
		status       int
		want         string
	}{
		"answer":            {"Greeting_1.Greet", `{"Name":"you"}`, 200, `"Greeting":"hello you"`},
		"unknown operation": {"Greeting_1.Leave", `{}`, 400, `"__type":"UnknownOperationException"`},
		"other service":     {"Other.Greet", `{}`, 400, `"__type":"UnknownOperationException"`},
		"not JSON":          {"Greeting_1.Greet", `{"Name":`, 400, `"__type":"SerializationException"`},
		"wrong type":        {"Greeting_1.Greet", `{"Name":1}`, 400, `"__type":"SerializationException"`},
		"too long":          {"Greeting_1.Greet", `{"Name":"` + strings.Repeat("x", 100) + `"}`, 413, `"__type":"RequestEntityTooLargeException"`},
		"unnamed error":     {"Greeting_1.Greet", `{}`, 500, `"__type":"InternalServiceException"`},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body))
			request.Header.Set("X-Amz-Target", c.target)
			response := httptest.NewRecorder()
			service.ServeHTTP(response, request)
			body := response.Body.String()
			if response.Code != c.status || !strings.Contains(body, c.want) || !json.Valid([]byte(body)) || strings.Contains(body, "details") {
				t.Errorf("%d %s", response.Code, body)
			}
		})
	}
}
