package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"recsys/shared/contract/settings"
	"recsys/shared/serving/answers"
	"recsys/shared/store/vectorstore"
)

// serve answers at a real port of this machine by n handlers, each with a pool of its own. As on AWS, a handler answers one request
// at a time, and a request waits for a free one.
func (w *world) serve(n int, s settings.API) (address string) {
	w.Helper()
	free := make(chan *Handler, n)
	for range n {
		free <- w.instance(s)
	}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		handler := <-free
		defer func() { free <- handler }()
		handler.ServeHTTP(out, r)
	}))
	w.Cleanup(server.Close)
	return server.URL
}

// instance is a handler as wire makes it.
func (w *world) instance(s settings.API) *Handler {
	w.Helper()
	s.URL = w.URL(vectorstore.ReaderRole)
	pool, err := vectorstore.Connect(w.Context(), connection(s))
	w.Must(err)
	w.Cleanup(pool.Close)
	return New(s.Requests, answers.New(pool, w.artifacts, s.Ranking, s.RequestTimeout), w.lake)
}

// client keeps as many connections open as there are callers.
func client(tb testing.TB, callers int) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
