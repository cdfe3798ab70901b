package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Invoke calls a function through the Invoke API at endpoint, an Emulator's URL, and returns its JSON answer. The error is
// an *InvocationError if the function failed, and a *ServiceError if it was not invoked.
func Invoke(ctx context.Context, endpoint, name string, payload []byte) ([]byte, error) {
	address := endpoint + "/2015-03-31/functions/" + url.PathEscape(name) + "/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", name, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", name, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", name, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, readServiceError(response, answer)
	}
	if response.Header.Get("X-Amz-Function-Error") == "" {
		return answer, nil
	}
	failed, err := parseError(answer)
	if err != nil {
		return nil, fmt.Errorf("reading the error of %s: %w", name, err)
	}
	return nil, failed
}

func readServiceError(response *http.Response, body []byte) *ServiceError {
	var said struct{ Message string }
	if err := json.Unmarshal(body, &said); err != nil {
		said.Message = string(body)
	}
	return &ServiceError{response.Header.Get("X-Amzn-Errortype"), said.Message, response.StatusCode}
}
