package main

import (
	"strconv"
	"strings"

	"recsys/shared/contract/productcode"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// Arrays of different lengths are no array together: each travels as its text, {"a","b"}.

// products returns the codes of a session, and the codes without regard to case.
func products(session []activity.Product) (exact, folded string) {
	codes, folds := make([]string, len(session)), make([]string, len(session))
	for i, product := range session {
		codes[i], folds[i] = quoted(product.Code), quoted(productcode.Fold(product.Code))
	}
	return array(codes), array(folds)
}

func quoted(text string) string { return `"` + escaped.Replace(text) + `"` }

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// weights is how often each product of a session counts in its mean. Where sessions have no weight of their own, the
// mean is for those records alone that the model gives no vector, and each counts once.
func (a *asking) weights(q *question) string {
	if a.weight() == 0 && q.vector != nil {
		return array(nil)
	}
	weights := make([]string, min(len(q.session), ranking.MostTelling))
	for i := range weights {
		weight := 1
		if a.weight() > 0 {
			weight = ranking.Weight(q.session[i])
		}
		weights[i] = strconv.Itoa(weight)
	}
	return array(weights)
}

func array(elements []string) string { return "{" + strings.Join(elements, ",") + "}" }

// customerID returns the number as the tables hold it. It returns nil, which joins with nobody, for a visitor who is not
// known and for a number that is beyond int32.
func customerID(number *int64) *int32 {
	if number == nil {
		return nil
	}
	id := int32(*number)
	if int64(id) != *number {
		return nil
	}
	return &id
}
