package main

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// maxBody bounds a record, in bytes. Kinesis takes more, but no session of a person is larger.
const maxBody = 256 << 10

// Limited is the part of a question that says how much is wanted.
type Limited struct {
	Limit int `query:"limit" minimum:"1" maximum:"100" doc:"How many products. Default: the option limit of the deployment."`
}

type byCustomer struct {
	Customer string `path:"id" minLength:"1" maxLength:"1024" doc:"The shop's own id of the customer."`
	Limited
}

// byParameter is byCustomer for ids that hold a character that a path cannot.
type byParameter struct {
	Customer string `query:"customer" required:"true" minLength:"1" maxLength:"1024" doc:"The shop's own id of the customer."`
	Limited
}

type byRecord struct {
	Limited
	RawBody []byte `contentType:"application/json"`
}

// recordBody is any object: the members are those of the shop's form, which reads it.
var recordBody = &huma.RequestBody{Required: true, Description: "An activity record, as the stream takes it.",
	Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}}

type byProduct struct {
	Product string `path:"id" minLength:"1" maxLength:"1024" doc:"The shop's own id of the product."`
	Limited
}

type byProductParameter struct {
	Product string `query:"product" required:"true" minLength:"1" maxLength:"1024" doc:"The shop's own id of the product."`
	Limited
}

// mine is a question of a customer who is logged in, so the token says who asks.
type mine struct {
	Customer string `query:"customer" maxLength:"1024" doc:"May be left out. It must be the customer of the token."`
	Limited
}

// newRoutes returns all routes. What they take and give is the contract, from which the OpenAPI document is made.
func (h *Handler) newRoutes() http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Recommendations", "1.0.0")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/v1/openapi", "", ""
	config.CreateHooks = nil // no $schema members: an answer holds what is asked for
	api := humago.New(mux, config)
	api.UseMiddleware(h.bounded)

	get := func(id, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Errors: append(errors, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)}
	}
	huma.Register(api, get("recommend-customer", "/v1/customers/{id}/recommendations", "Products for a customer"),
		func(ctx context.Context, in *byCustomer) (*recommended, error) {
			return h.forCustomer(ctx, in.Customer, in.Limit)
		})
	huma.Register(api, get("recommend", "/v1/recommendations", "Products for a customer, by any id"),
		func(ctx context.Context, in *byParameter) (*recommended, error) {
			return h.forCustomer(ctx, in.Customer, in.Limit)
		})
	huma.Register(api, huma.Operation{OperationID: "recommend-session", Method: http.MethodPost, Path: "/v1/recommendations", MaxBodyBytes: maxBody,
		Summary: "Products for a session", RequestBody: recordBody, SkipValidateBody: true, Errors: []int{http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable}},
		func(ctx context.Context, in *byRecord) (*recommended, error) {
			return h.forRecord(ctx, in.RawBody, in.Limit)
		})
	huma.Register(api, get("similar-to-product", "/v1/products/{id}/similar", "Products that are similar to one", http.StatusNotFound),
		func(ctx context.Context, in *byProduct) (*similar, error) {
			return h.similarTo(ctx, in.Product, in.Limit)
		})
	huma.Register(api, get("similar", "/v1/similar", "Products that are similar to one, by any id", http.StatusNotFound),
		func(ctx context.Context, in *byProductParameter) (*similar, error) {
			return h.similarTo(ctx, in.Product, in.Limit)
		})
	huma.Register(api, get("trending", "/v1/trending", "Products that recent sessions put into their carts"),
		func(ctx context.Context, in *Limited) (*recommended, error) { return h.trending(ctx, in.Limit) })
	huma.Register(api, get("recommend-me", "/v1/me/recommendations", "Products for the customer of the token", http.StatusUnauthorized, http.StatusForbidden),
		func(ctx context.Context, in *mine) (*recommended, error) { return h.forMe(ctx, in.Customer, in.Limit) })
	huma.Register(api, get("health", "/v1/health", "Whether the database answers"),
		func(ctx context.Context, _ *struct{}) (*health, error) { return h.health(ctx) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_ = huma.WriteErr(api, humago.NewContext(nil, r, w), http.StatusNotFound, "there is no such route, see /v1/openapi.json") // the caller may be gone
	})
	return mux
}

// bounded ends a request before the gateway or the caller gives up.
func (h *Handler) bounded(ctx huma.Context, next func(huma.Context)) {
	within, cancel := context.WithTimeout(ctx.Context(), h.options.RequestTimeout)
	defer cancel()
	next(huma.WithContext(ctx, within))
}
