package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the OpenAPI document as a caller reads it.
func document(tb testing.TB, h *Handler) map[string]any {
	tb.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	var read map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &read); err != nil {
		tb.Fatal(err)
	}
	return read
}

// wantPromised wants an answer to be as the OpenAPI document says, with its status and its schema.
func (w *world) wantPromised(method, path string, status int, answer any) {
	w.Helper()
	read := document(w, w.handler)
	route := routeOf(read, path)
	pointer := fmt.Sprintf("/paths/%s/%s/responses/%s/content", escaped(route), strings.ToLower(method), named(read, route, method, status))
	kinds := at(read, pointer)
	if len(kinds) != 1 {
		w.Errorf("%s %s, status %d: the document has %d kinds of content at %s", method, path, status, len(kinds), pointer)
		return
	}
	for kind := range kinds {
		pointer += "/" + escaped(kind) + "/schema"
	}
	compiler := jsonschema.NewCompiler()
	w.Must(compiler.AddResource("openapi.json", read))
	schema, err := compiler.Compile("openapi.json#" + pointer)
	w.Must(err)
	if err := schema.Validate(answer); err != nil {
		w.Errorf("%s %s, status %d: the document promises something else: %v", method, path, status, err)
	}
}

// named returns the key of a status among a route's responses. A status that is not listed is the default's.
func named(read map[string]any, route, method string, status int) string {
	key := fmt.Sprint(status)
	if _, listed := at(read, "/paths/"+escaped(route)+"/"+strings.ToLower(method)+"/responses")[key]; listed {
		return key
	}
	return "default"
}

// routeOf returns the document's name of a path.
func routeOf(read map[string]any, path string) string {
	path, _, _ = strings.Cut(path, "?")
	for route := range at(read, "/paths") {
		parts, asked := strings.Split(route, "/"), strings.Split(path, "/")
		fits := len(parts) == len(asked)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == asked[i] || strings.HasPrefix(parts[i], "{")
		}
		if fits {
			return route
		}
	}
	return path
}

func escaped(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// at returns the object at a JSON pointer, nil if there is none.
func at(read map[string]any, pointer string) map[string]any {
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		key = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
		read, _ = read[key].(map[string]any)
	}
	return read
}

func TestTheDocumentTellsEveryRoute(t *testing.T) {
	w := setup(t)
	read := document(t, w.handler)
	if version, _ := read["openapi"].(string); !strings.HasPrefix(version, "3.1") {
		t.Errorf("openapi %q, want 3.1", version)
	}
	for route, method := range map[string]string{
		"/v1/customers/{id}/recommendations": "get", "/v1/recommendations": "post", "/v1/products/{id}/similar": "get", "/v1/similar": "get",
		"/v1/trending": "get", "/v1/health": "get", "/v1/me/recommendations": "get",
	} {
		if at(read, "/paths/"+escaped(route)+"/"+method) == nil {
			t.Errorf("the document lacks %s %s", method, route)
		}
	}
}
