package main

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"recsys/infra/local/testbed/versiontest"
)

// TestGeneratedRequests asks every route of the document, with parameters that keep to it and others that do not. A request that the
// document forbids is a problem with status 422. One that it allows is never the server's fault. Each answer is as promised.
func TestGeneratedRequests(t *testing.T) {
	const each = 40
	w := setup(t)
	versiontest.Load(w, w.loader, nil, versiontest.Small())
	read, random := document(t, w.handler), rand.New(rand.NewPCG(16, 1))
	seen := map[int]int{}
	for route := range sortedObjects(at(read, "/paths")) {
		for method, operation := range sortedObjects(at(read, "/paths/"+escaped(route))) {
			for range each {
				r := generate(t, random, route, operation)
				status, answer := w.ask(strings.ToUpper(method), r.path, r.body)
				seen[status]++
				switch {
				case r.forbidden && status != 422:
					t.Errorf("%s %s is against the document: status %d, %v", method, r.path, status, answer)
				case status >= 500:
					t.Errorf("%s %s %s: status %d, %v", method, r.path, r.body, status, answer)
				case status >= 400 && answer["status"] != float64(status):
					t.Errorf("%s %s: no problem of RFC 9457: %v", method, r.path, answer)
				}
			}
		}
	}
	for _, status := range []int{200, 401, 404, 422} {
		if seen[status] == 0 {
			t.Errorf("no request was answered with status %d: %v", status, seen)
		}
	}
}

// generated is a request, and whether the document forbids it.
type generated struct {
	path, body string
	forbidden  bool
}

func generate(tb testing.TB, random *rand.Rand, route string, operation map[string]any) generated {
	r, query := generated{path: route}, url.Values{}
	parameters, _ := operation["parameters"].([]any)
	for _, one := range parameters {
		parameter := one.(map[string]any)
		name, place := parameter["name"].(string), parameter["in"].(string)
		value := draw(random, parameter["schema"].(map[string]any))
		switch {
		case place == "path":
			if value == "" || value == "." || value == ".." { // another path
				value = "103"
			}
			r.path = strings.ReplaceAll(r.path, "{"+name+"}", url.PathEscape(value))
		case random.IntN(4) == 0:
			required, _ := parameter["required"].(bool)
			r.forbidden = r.forbidden || required
			continue
		default:
			query.Set(name, value)
		}
		r.forbidden = r.forbidden || !allowed(tb, parameter["schema"], value)
	}
	if len(query) > 0 {
		r.path += "?" + query.Encode()
	}
	if operation["requestBody"] != nil {
		r.body = record(random)
	}
	return r
}

// draw returns a value of a parameter, on both sides of each bound.
func draw(random *rand.Rand, schema map[string]any) string {
	one := func(values ...string) string { return values[random.IntN(len(values))] }
	if schema["type"] == "integer" {
		return one("1", "2", "17", "100", "0", "101", "-1", "1.5", "many", "9223372036854775808")
	}
	if random.IntN(2) == 0 {
		return one("103", "999", "item-020", "ITEM-020")
	}
	long, _ := schema["maxLength"].(float64)
	return one("", "nobody", "a/b", "a b", "%2F", "ä€😀", "'; drop table embedding_version; --", ".", "..", "\x00", "-1", "99999999999999999999",
		strings.Repeat("x", int(long)), strings.Repeat("x", int(long)+1))
}

// allowed asks the schema.
func allowed(tb testing.TB, schema any, value string) bool {
	tb.Helper()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("parameter.json", schema); err != nil {
		tb.Fatal(err)
	}
	compiled, err := compiler.Compile("parameter.json")
	if err != nil {
		tb.Fatal(err)
	}
	var typed any = value
	if schema.(map[string]any)["type"] == "integer" {
		number, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return false
		}
		typed = number
	}
	return compiled.Validate(typed) == nil
}

// record returns an activity record, or something that is none.
func record(random *rand.Rand) string {
	product := map[string]any{"product_code": []any{"item-020", "nothing", nil, 7}[random.IntN(4)], "in_shopping_cart": random.IntN(2) == 0, "quantity": random.IntN(5) - 1}
	whole := map[string]any{"session_id": "s", "customer_number": []any{103, 999, "103", nil, "x", 1e20}[random.IntN(6)], "country": "Norway", "browse_history": []any{product}}
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		if random.IntN(4) == 0 {
			delete(whole, name)
		}
	}
	text, _ := json.Marshal(whole) // plain values alone
	switch random.IntN(8) {
	case 0:
		return string(text[:random.IntN(len(text))]) + " "
	case 1:
		return []string{"[]", "null", `"s"`, "7", "{}", "\xff"}[random.IntN(6)]
	}
	return string(text)
}

// sortedObjects goes through the members that are objects, in the order of their names.
func sortedObjects(object map[string]any) func(yield func(string, map[string]any) bool) {
	return func(yield func(string, map[string]any) bool) {
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if member, ok := object[name].(map[string]any); ok && !yield(name, member) {
				return
			}
		}
	}
}

func TestAnUnknownRouteIsAProblem(t *testing.T) {
	w := setup(t)
	for _, request := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/v1/nothing", nil), httptest.NewRequest(http.MethodDelete, "/v1/trending", nil), httptest.NewRequest(http.MethodGet, "/", nil),
	} {
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)
		if kind := recorder.Header().Get("Content-Type"); recorder.Code != http.StatusNotFound || kind != "application/problem+json" {
			t.Errorf("%s %s: status %d, %s: %s", request.Method, request.URL, recorder.Code, kind, recorder.Body)
		}
	}
}
