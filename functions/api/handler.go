package main

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"recsys/shared/contract/settings"
	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
)

// Handler answers requests. Several may be answered at the same time.
type Handler struct {
	gateway  *httpadapter.HandlerAdapterV2
	routes   http.Handler
	answers  *answers.Service
	fallback *fallback
	options  settings.Requests
	now      func() time.Time
}

// New makes the handler. lake is the bucket with the snapshots.
func New(options settings.Requests, service *answers.Service, lake *objectstore.Store) *Handler {
	h := &Handler{answers: service, fallback: &fallback{lake: lake}, options: options, now: time.Now}
	h.routes = h.newRoutes()
	h.gateway = httpadapter.NewV2(h.routes)
	return h
}

// Handle answers a request of the gateway. Its errors are the adapter's, about events that are no requests.
func (h *Handler) Handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return h.gateway.ProxyWithContext(ctx, request)
}

// ServeHTTP answers a request without a gateway. Tests and benchmarks use it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.routes.ServeHTTP(w, r) }
