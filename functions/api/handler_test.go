package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/versiontest"
	servers "recsys/infra/local/testbed/world"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// world is a vector database, S3, and a handler over both.
type world struct {
	*servers.World
	loader    *pgxpool.Pool
	lake      *objectstore.Store
	artifacts *objectstore.Store
	pool      *pgxpool.Pool // the handler's
	handler   *Handler
}

func setup(tb testing.TB) *world {
	tb.Helper()
	w := &world{World: servers.New(tb, postgrestest.ForTest(tb))}
	w.loader = w.Pool(vectorstore.LoaderRole)
	w.lake, w.artifacts = w.Bucket("lake"), w.Bucket("artifacts")
	s := settings.Default[settings.API]()
	s.URL = w.URL(vectorstore.ReaderRole)
	var err error
	w.pool, err = vectorstore.Connect(tb.Context(), connection(s))
	w.Must(err)
	tb.Cleanup(w.pool.Close)
	s.RequestTimeout = time.Minute // of a busy machine
	service := answers.New(w.pool, w.artifacts, s.Ranking, s.RequestTimeout)
	service.CountEvery = 0
	w.handler = New(s.Requests, service, w.lake)
	w.handler.now = func() time.Time { return time.Date(2026, 12, 1, 2, 3, 4, 567_000_000, time.UTC) }
	return w
}

// ask sends a request and returns the status and the answer.
func (w *world) ask(method, path, body string) (int, map[string]any) {
	w.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body)).WithContext(w.Context())
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, request)
	content, err := io.ReadAll(recorder.Body)
	w.Must(err)
	var answer map[string]any
	if err := json.Unmarshal(content, &answer); err != nil {
		w.Fatalf("%s %s: %s is no JSON: %v", method, path, content, err)
	}
	w.wantPromised(method, path, recorder.Code, answer)
	return recorder.Code, answer
}

// ids returns the answer's products, in their order.
func ids(answer map[string]any) string {
	var all []string
	items, _ := answer["items"].([]any)
	for _, item := range items {
		all = append(all, item.(map[string]any)["id"].(string))
	}
	return strings.Join(all, " ")
}

func TestRoutes(t *testing.T) {
	w := setup(t)
	number := versiontest.Load(w, w.loader, nil, versiontest.Small())
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		strategy, products       string
	}{
		{"a customer", "GET", "/v1/customers/103/recommendations", "", 200, "stored-vector", "item-010 item-009 item-011 item-008 item-012"},
		{"a limit", "GET", "/v1/customers/103/recommendations?limit=2", "", 200, "stored-vector", "item-010 item-009"},
		{"by parameter", "GET", "/v1/recommendations?customer=103&limit=1", "", 200, "stored-vector", "item-010"},
		{"nobody knows the customer", "GET", "/v1/customers/999/recommendations", "", 200, "popular", "item-001 item-002 item-003 item-050 item-051"},
		{"a session", "POST", "/v1/recommendations?limit=2", `{"customer_number":999,"browse_history":[{"product_code":"item-020"}]}`, 200, "history", "item-019 item-021"},
		{"a country", "POST", "/v1/recommendations?limit=2", `{"session_id":"s","country":"Norway"}`, 200, "popular-in-country", "item-050 item-051"},
		{"similar", "GET", "/v1/products/item-020/similar?limit=2", "", 200, "history", "item-019 item-021"},
		{"similar, by parameter and in another case", "GET", "/v1/similar?product=ITEM-020&limit=2", "", 200, "history", "item-019 item-021"},
		{"no cart was seen", "GET", "/v1/trending?limit=2", "", 200, "popular", "item-001 item-002"},
		{"an id that is none", "GET", "/v1/customers/one/recommendations", "", 422, "", ""},
		{"too many", "GET", "/v1/customers/103/recommendations?limit=101", "", 422, "", ""},
		{"no customer", "GET", "/v1/recommendations", "", 422, "", ""},
		{"an unknown product", "GET", "/v1/products/nothing/similar", "", 404, "", ""},
		{"no JSON", "POST", "/v1/recommendations", `{"customer_number":`, 422, "", ""},
		{"neither session nor customer", "POST", "/v1/recommendations", `{"city":"Oslo"}`, 422, "", ""},
		{"a large record", "POST", "/v1/recommendations", `{"session_id":"` + strings.Repeat("x", maxBody) + `"}`, 413, "", ""},
		{"no token", "GET", "/v1/me/recommendations", "", 401, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, answer := w.ask(test.method, test.path, test.body)
			if status != test.status {
				t.Fatalf("status %d, want %d: %v", status, test.status, answer)
			}
			if status != 200 {
				if answer["detail"] == "" || answer["status"] != float64(status) {
					t.Errorf("no problem of RFC 9457: %v", answer)
				}
				return
			}
			if answer["strategy"] != test.strategy || sorted(ids(answer)) != sorted(test.products) {
				t.Errorf("got %v: %s", answer["strategy"], ids(answer))
			}
			event := fmt.Sprintf("v%d-20261201T020304.567Z-%s-", number, test.strategy)
			if !strings.HasPrefix(answer["event_id"].(string), event) || answer["model_version"] != float64(number) || answer["degraded"] != false {
				t.Errorf("about the answer: %v", answer)
			}
		})
	}
}

// sorted takes the order from a list, because some items are at the same distance.
func sorted(list string) string {
	words := strings.Fields(list)
	slices.Sort(words)
	return strings.Join(words, " ")
}

func TestCartsBecomeTrends(t *testing.T) {
	w := setup(t)
	versiontest.Load(w, w.loader, nil, versiontest.Small())
	for _, session := range []string{"a", "b"} {
		if status, answer := w.ask("POST", "/v1/recommendations", `{"session_id":"`+session+`","browse_history":[{"product_code":"item-077","in_shopping_cart":true}]}`); status != 200 {
			t.Fatal(status, answer)
		}
	}
	if _, answer := w.ask("GET", "/v1/trending", ""); answer["strategy"] != "trending" || ids(answer) != "item-077" {
		t.Errorf("got %v", answer)
	}
}

func TestNoVersionIsActive(t *testing.T) {
	w := setup(t)
	status, answer := w.ask("GET", "/v1/customers/103/recommendations", "")
	if status != 200 || answer["model_version"] != 0.0 || answer["strategy"] != "none" || ids(answer) != "" || answer["items"] == nil {
		t.Errorf("status %d: %v", status, answer)
	}
}

// TestTheDatabaseIsAway wants popular products of the newest snapshot in its place, and full answers again when it is back.
func TestTheDatabaseIsAway(t *testing.T) {
	w := setup(t)
	versiontest.Load(w, w.loader, nil, versiontest.Small())
	w.put(lake.LatestKey, lake.Latest{Snapshot: "s"})
	w.put(lake.PopularityKey("s"), lake.Popularity{Snapshot: "s", Items: []lake.ItemCount{
		{Item: "item-007", Group: "Norway", Count: 2}, {Item: "item-008", Group: "Norway", Count: 3}, {Item: "item-007", Group: "USA", Count: 2}}})
	working := w.handler.answers
	broken, err := vectorstore.Connect(t.Context(), connection(settings.API{
		VectorStore: settings.VectorStore{URL: "postgres://nobody@127.0.0.1:1/none"}, Requests: settings.Requests{RequestTimeout: time.Second}}))
	w.Must(err)
	t.Cleanup(broken.Close)
	w.handler.answers = answers.New(broken, nil, working.Options, time.Second)
	for range 2 { // the second one is from memory
		status, answer := w.ask("GET", "/v1/customers/103/recommendations", "")
		if status != 200 || answer["degraded"] != true || answer["strategy"] != "popular" || ids(answer) != "item-007 item-008" || answer["model_version"] != 0.0 {
			t.Errorf("status %d: %v", status, answer)
		}
		_, err := w.lake.DeletePrefix(t.Context(), lake.LatestKey)
		w.Must(err)
	}
	if status, answer := w.ask("GET", "/v1/products/item-007/similar", ""); status != 503 || strings.Contains(fmt.Sprint(answer), "127.0.0.1") {
		t.Errorf("similar: %d %v", status, answer)
	}
	if _, answer := w.ask("GET", "/v1/health", ""); answer["status"] != "degraded" {
		t.Errorf("health: %v", answer)
	}
	w.handler.answers = working
	if _, answer := w.ask("GET", "/v1/customers/103/recommendations", ""); answer["degraded"] != false || answer["strategy"] != "stored-vector" {
		t.Errorf("back again: %v", answer)
	}
}

func (w *world) put(key string, value any) {
	w.Helper()
	_, err := w.lake.PutJSON(w.Context(), key, value)
	w.Must(err)
}

// TestACustomerAsksForThemselvesAlone goes through the gateway's event, because the gateway checks the token.
func TestACustomerAsksForThemselvesAlone(t *testing.T) {
	w := setup(t)
	versiontest.Load(w, w.loader, nil, versiontest.Small())
	for _, test := range []struct {
		name, query string
		claims      map[string]string
		status      int
	}{
		{"the token's customer", "", map[string]string{"sub": "103"}, 200},
		{"named too", "customer=103", map[string]string{"sub": "103"}, 200},
		{"another customer", "customer=104", map[string]string{"sub": "103"}, 403},
		{"no claim", "", map[string]string{"email": "103"}, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			var event events.APIGatewayV2HTTPRequest
			event.RawPath, event.RawQueryString = "/v1/me/recommendations", test.query
			event.RequestContext.HTTP.Method, event.RequestContext.HTTP.Path = http.MethodGet, event.RawPath
			event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
				JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: test.claims}}
			response, err := w.handler.Handle(t.Context(), event)
			if err != nil || response.StatusCode != test.status {
				t.Errorf("status %d, %v: %s", response.StatusCode, err, response.Body)
			}
			if test.status == 200 && !strings.Contains(response.Body, `"strategy":"stored-vector"`) {
				t.Errorf("got %s", response.Body)
			}
		})
	}
}
