package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"recsys/shared/runtime/metrics"
	"recsys/shared/serving/answers"
	"recsys/shared/stream/activity"
)

// item is a product of an answer.
type item struct {
	ID       string  `json:"id"`
	Score    float64 `json:"score" doc:"A better product has a higher score. Scores of different strategies or versions do not compare."`
	Strategy string  `json:"strategy" doc:"How the product was found."`
	Reason   reason  `json:"reason"`
}

// reason says why a product is in the list.
type reason struct {
	Code string `json:"code" doc:"near-history, near-cart, near-session, fits-taste, or the strategy of trending and popular products."`
	Of   string `json:"of,omitempty" doc:"The product that speaks for it most, or the group that it is popular in."`
}

// itemOf names the strategy of a product that came by none of the ladder: it is the answer's.
func itemOf(found activity.Scored, answer activity.Strategy) item {
	if found.Strategy == "" {
		found.Strategy, found.Reason.Code = answer, activity.ReasonCode(answer)
	}
	return item{found.ID, found.Score, string(found.Strategy), reason{string(found.Reason.Code), found.Reason.Of}}
}

// About says how an answer came about.
type About struct {
	EventID      string    `json:"event_id" doc:"Version, time and strategy of the answer, and a random part. Keep it with a click to know what led to it."`
	ModelVersion int64     `json:"model_version" doc:"The version that all of the answer belongs to, 0 if none is active."`
	Strategy     string    `json:"strategy" doc:"How the first product was found."`
	GeneratedAt  time.Time `json:"generated_at"`
	Degraded     bool      `json:"degraded" doc:"The database was away or slow: these are popular products, which the customer may have."`
}

type recommended struct {
	Body struct {
		About
		Items []item `json:"items"`
	}
}

// near is a similar product.
type near struct {
	ID       string  `json:"id"`
	Distance float64 `json:"distance" doc:"By the version's metric. A nearer product has a lower one."`
}

type similar struct {
	Body struct {
		About
		Product string `json:"product" doc:"The product as the shop spells it."`
		Items   []near `json:"items"`
	}
}

type health struct {
	Body struct {
		Status       string `json:"status" enum:"ok,degraded"`
		ModelVersion int64  `json:"model_version"`
	}
}

func (h *Handler) forCustomer(ctx context.Context, id string, limit int) (*recommended, error) {
	return h.recommend(ctx, ofCustomer(id), limit)
}

func (h *Handler) forRecord(ctx context.Context, body []byte, limit int) (*recommended, error) {
	return h.recommend(ctx, ofRecord(body), limit)
}

// forMe answers the customer of the token alone.
func (h *Handler) forMe(ctx context.Context, asked string, limit int) (*recommended, error) {
	id, err := h.customerOf(ctx)
	if err != nil {
		return nil, err
	}
	if asked != "" && asked != id {
		return nil, huma.Error403Forbidden("the token is of another customer")
	}
	return h.forCustomer(ctx, id, limit)
}

func (h *Handler) recommend(ctx context.Context, ask question, limit int) (*recommended, error) {
	answer, err := h.ask(ctx, ask, answers.Batch{Limit: limit, Reasons: true})
	if err != nil {
		return h.popular(ctx, limit, err)
	}
	return h.listed(ctx, answer, answer.Recommended), nil
}

// trending answers with popular products if no cart was seen lately.
func (h *Handler) trending(ctx context.Context, limit int) (*recommended, error) {
	answer, err := h.ask(ctx, ofNobody, answers.Batch{Limit: limit, Trending: true, Reasons: true})
	if err != nil {
		return h.popular(ctx, limit, err)
	}
	if len(answer.Trending) == 0 {
		return h.listed(ctx, answer, answer.Recommended), nil
	}
	answer.Recommendation.Strategy = activity.Trending
	return h.listed(ctx, answer, answer.Trending), nil
}

// similarTo has no degraded answer, because popular products are not similar ones.
func (h *Handler) similarTo(ctx context.Context, product string, limit int) (*similar, error) {
	answer, err := h.ask(ctx, ofProduct(product), answers.Batch{Limit: limit})
	if err != nil {
		return nil, problem(ctx, err)
	}
	if answer.Similar.To == "" {
		return nil, huma.Error404NotFound("the active version does not know the product")
	}
	var out similar
	out.Body.About, out.Body.Product, out.Body.Items = h.about(answer.Recommendation), answer.Similar.To, []near{}
	for _, n := range answer.Similar.Items {
		out.Body.Items = append(out.Body.Items, near(n))
	}
	return &out, nil
}

func (h *Handler) health(ctx context.Context) (*health, error) {
	var out health
	answer, err := h.ask(ctx, ofNobody, answers.Batch{Limit: 1})
	out.Body.Status, out.Body.ModelVersion = "ok", answer.Recommendation.ModelVersion
	if err != nil {
		slog.WarnContext(ctx, "the database does not answer", "error", err)
		out.Body.Status = "degraded"
	}
	return &out, nil
}

func (h *Handler) listed(ctx context.Context, answer activity.Answer, items []activity.Scored) *recommended {
	var out recommended
	out.Body.About, out.Body.Items = h.about(answer.Recommendation), []item{}
	for _, found := range items {
		out.Body.Items = append(out.Body.Items, itemOf(found, answer.Recommendation.Strategy))
	}
	metrics.Count(ctx, metrics.Answers(answer.Recommendation.Strategy), 1)
	return &out
}

func (h *Handler) about(how activity.Recommendation) About {
	now := h.now().UTC().Truncate(time.Millisecond)
	strategy := cmp.Or(how.Strategy, activity.None)
	event := fmt.Sprintf("v%d-%s-%s-%s", how.ModelVersion, now.Format("20060102T150405.000Z"), strategy, strings.ToLower(rand.Text()[:10]))
	return About{EventID: event, ModelVersion: how.ModelVersion, Strategy: string(strategy), GeneratedAt: now}
}

// popular answers in place of the database. A fault of the caller stays one.
func (h *Handler) popular(ctx context.Context, limit int, reason error) (*recommended, error) {
	if errors.As(reason, new(huma.StatusError)) {
		return nil, reason
	}
	slog.ErrorContext(ctx, "popular products answer, because the database did not", "error", reason)
	metrics.Count(ctx, metrics.DegradedAnswers, 1)
	products, err := h.fallback.products(ctx)
	if err != nil {
		return nil, problem(ctx, errors.Join(reason, err))
	}
	out := h.listed(ctx, activity.Answer{Recommendation: activity.Recommendation{Strategy: activity.Popular}},
		products[:min(len(products), cmp.Or(limit, h.answers.Options.Limit))])
	out.Body.Degraded = true
	return out, nil
}

// problem says that the request may be tried again, and no more: the log has the reason.
func problem(ctx context.Context, err error) error {
	if errors.As(err, new(huma.StatusError)) {
		return err
	}
	slog.ErrorContext(ctx, "no answer", "error", err)
	return huma.NewError(http.StatusServiceUnavailable, "the vector database does not answer: try again")
}
