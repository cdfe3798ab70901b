package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"
	"github.com/danielgtaylor/huma/v2"

	"recsys/shared/serving/answers"
	"recsys/shared/stream/activity"
)

// question makes the activity record that stands for a request. The names of its members are the shop's.
type question func(form *activity.Form) (activity.Object, error)

// ofRecord asks what a caller has written.
func ofRecord(body []byte) question {
	return func(*activity.Form) (activity.Object, error) { return activity.Open(body) }
}

// ofCustomer asks for a customer outside of a session.
func ofCustomer(id string) question {
	return func(form *activity.Form) (activity.Object, error) {
		return written(map[string]any{form.Customer(): id})
	}
}

// ofProduct asks as a session that has looked at one product.
func ofProduct(id string) question {
	return func(form *activity.Form) (activity.Object, error) {
		return written(map[string]any{"session_id": "similar", "browse_history": []map[string]any{{form.Product(): id}}})
	}
}

// ofNobody asks for what anybody may like.
func ofNobody(*activity.Form) (activity.Object, error) {
	return written(map[string]any{"session_id": "anybody"})
}

func written(record map[string]any) (activity.Object, error) {
	body, err := json.Marshal(record)
	if err != nil {
		return activity.Object{}, err
	}
	return activity.Open(body)
}

// ask returns the answer to a question. A question that cannot be read is the caller's fault, a problem with status 422. The other
// errors are those of the database and of S3.
func (h *Handler) ask(ctx context.Context, ask question, batch answers.Batch) (activity.Answer, error) {
	var record activity.Record
	var unreadable error
	batch.Now = h.now()
	batch.Read = func(form *activity.Form) []*activity.Record {
		object, err := ask(form)
		if err == nil {
			record, err = form.Read(object)
		}
		if unreadable = err; err != nil {
			return nil
		}
		return []*activity.Record{&record}
	}
	var preparing sync.WaitGroup
	preparing.Go(func() { h.fallback.prepare(ctx) })
	found, err := h.answers.Answer(ctx, batch)
	preparing.Wait()
	switch {
	case err != nil:
		return activity.Answer{}, err
	case unreadable != nil:
		return activity.Answer{}, huma.Error422UnprocessableEntity("the request cannot be read: " + unreadable.Error())
	}
	return found[0], nil
}

// customerOf returns the customer of the request's token, which the gateway has checked.
func (h *Handler) customerOf(ctx context.Context) (string, error) {
	request, ok := core.GetAPIGatewayV2ContextFromContext(ctx)
	if !ok || request.Authorizer == nil || request.Authorizer.JWT == nil {
		return "", huma.Error401Unauthorized("the request has no token")
	}
	id := request.Authorizer.JWT.Claims[h.options.CustomerClaim]
	if id == "" {
		return "", huma.Error403Forbidden(fmt.Sprintf("the token has no claim %q", h.options.CustomerClaim))
	}
	return id, nil
}
