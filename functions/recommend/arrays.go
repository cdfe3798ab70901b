package main

import (
	"strconv"
	"strings"

	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/productcode"
	"recsys/shared/contract/shape"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// arrays are the parameters of a statement, an element for each record. Arrays of different lengths cannot be elements of an
// array, so sessions travel as text: {"a","b"}.
type arrays struct {
	records   []int32 // the record's place in the batch
	customers any     // []*int32, []*int64 or []*string, as the shop's ids
	groups    []string
	vectors   []*pgvector.Vector
	sessions  []string // codes, the most telling first
	folded    []string // the same codes without regard to case
	weights   []string // how often each product of a session counts
}

func everyRecord(recordQuery) bool { return true }

// places returns the places of the records that are wanted.
func (q *batchQuery) places(wanted func(recordQuery) bool) []int {
	places := make([]int, 0, len(q.records))
	for i, r := range q.records {
		if wanted(r) {
			places = append(places, i)
		}
	}
	return places
}

// arrays returns the parameters of the records at these places.
func (q *batchQuery) arrays(places []int) arrays {
	n := len(places)
	a := arrays{make([]int32, n), nil, make([]string, n), make([]*pgvector.Vector, n), make([]string, n), make([]string, n), make([]string, n)}
	customers := make([]*string, n)
	for k, i := range places {
		r := &q.records[i]
		a.records[k] = int32(i)
		customers[k] = r.record.Customer
		a.groups[k] = vectorstore.CountryKey(r.record.Group)
		if r.vector != nil {
			vector := pgvector.NewVector(r.vector)
			a.vectors[k] = &vector
		}
		a.sessions[k], a.folded[k] = r.codes.exact, r.codes.folded
		a.weights[k] = textArray(q.sessionWeights(r))
	}
	a.customers = customerIDs(customers, shape.OrLab(q.version.Shop).Customer.Type)
	return a
}

// codes is the products of a session as text arrays: as they are spelled, and without regard to case.
type codes struct{ exact, folded string }

func codesOf(session []activity.Product) codes {
	if len(session) == 0 {
		return codes{"{}", "{}"}
	}
	exact, folded := make([]string, len(session)), make([]string, len(session))
	for i, product := range session {
		exact[i], folded[i] = quoted(product.Code), quoted(productcode.Fold(product.Code))
	}
	return codes{textArray(exact), textArray(folded)}
}

func quoted(text string) string { return `"` + escaped.Replace(text) + `"` }

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func textArray(elements []string) string { return "{" + strings.Join(elements, ",") + "}" }

// sessionWeights returns how often each product of a session counts in its mean. If sessions have no weight of their own, only
// the records without a vector by the model need the mean, and each product counts once.
func (q *batchQuery) sessionWeights(r *recordQuery) []string {
	if q.sessionWeight() == 0 && r.vector != nil {
		return nil
	}
	weights := make([]string, min(len(r.session), ranking.MostTelling))
	for i := range weights {
		weight := 1
		if q.sessionWeight() > 0 {
			weight = ranking.Weight(r.session[i])
		}
		weights[i] = strconv.Itoa(weight)
	}
	return weights
}

// customerIDs returns the ids as the tables hold them: a []*int32, a []*int64 or a []*string. An id is nil, which joins with
// nobody, for a visitor who is not known and for an id that no table can hold.
func customerIDs(ids []*string, of shape.Type) any {
	switch of {
	case shape.Int:
		return typedIDs[int32](ids, of)
	case shape.BigInt:
		return typedIDs[int64](ids, of)
	}
	return typedIDs[string](ids, of)
}

func typedIDs[T any](ids []*string, of shape.Type) []*T {
	typed := make([]*T, len(ids))
	for i, id := range ids {
		if id == nil || !of.Valid(*id) {
			continue
		}
		if value, err := of.Value(*id); err == nil {
			held := value.(T)
			typed[i] = &held
		}
	}
	return typed
}
