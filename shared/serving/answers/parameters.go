package answers

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

// parameter is one thing that a search is told of each record. PostgreSQL gets it as an array with an element for each record,
// and the statement reads it as a column of statement.Records. Arrays of different lengths cannot be elements of an array, so
// sessions travel as text: {"a","b"}.
type parameter struct {
	column string
	kind   string // the column's type. "" is that of the customers' ids
	only   search // the only search that is told, everySearch for all of them
	array  func(q *batchQuery, places []int) any
}

// search is a way to find items, by what it goes by.
type search int

const (
	everySearch search = iota
	byVector
	byProduct
	byGroup
	byCustomer
	byNeighbours // with all that byVector is told
	byListed
)

// parameters are all of them, in the order of a statement's numbers.
var parameters = []parameter{
	{"record", "int", everySearch, each(func(_ *batchQuery, place int) int32 { return int32(place) })},
	{"customer", "", everySearch, (*batchQuery).customers},
	{"session", "text", everySearch, each(func(q *batchQuery, i int) string { return q.records[i].codes.exact })},
	{"folded", "text", everySearch, each(func(q *batchQuery, i int) string { return q.records[i].codes.folded })},
	{"country", "text", byGroup, each(func(q *batchQuery, i int) string { return vectorstore.CountryKey(q.records[i].record.Group) })},
	{"vector", "vector", byVector, each(func(q *batchQuery, i int) *pgvector.Vector { return vectorOf(q.records[i].vector) })},
	{"related", "text", byNeighbours, each(func(q *batchQuery, i int) string { return textOf(q.records[i].related) })},
	{"listed", "text", byListed, each(func(q *batchQuery, i int) string { return textArray(quotedAll(q.records[i].listed)) })},
	{"asked", "bool", byCustomer, each(func(q *batchQuery, i int) bool { return q.storedFirst || q.records[i].vector == nil })},
	{"weights", "text", byVector, each(func(q *batchQuery, i int) string { return textArray(q.sessionWeights(&q.records[i])) })},
}

// each returns a function that makes an array of the values of the records at some places.
func each[T any](value func(q *batchQuery, place int) T) func(*batchQuery, []int) any {
	return func(q *batchQuery, places []int) any {
		array := make([]T, len(places))
		for k, i := range places {
			array[k] = value(q, i)
		}
		return array
	}
}

// told yields the parameters of a search.
func (s search) told(yield func(parameter) bool) {
	for _, p := range parameters {
		if (p.only == everySearch || p.only == s || p.only == byVector && s == byNeighbours) && !yield(p) {
			return
		}
	}
}

// arguments returns the parameters of a search for the records at these places.
func (q *batchQuery) arguments(by search, places []int) (arguments []any) {
	for p := range by.told {
		arguments = append(arguments, p.array(q, places))
	}
	return arguments
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

func vectorOf(numbers []float32) *pgvector.Vector {
	if numbers == nil {
		return nil
	}
	vector := pgvector.NewVector(numbers)
	return &vector
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

func quotedAll(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = quoted(text)
	}
	return all
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
		weights[i] = strconv.Itoa(q.countOf(r, i))
	}
	return weights
}

// countOf returns how often a product of a session counts in its mean.
func (q *batchQuery) countOf(r *recordQuery, i int) int {
	if q.sessionWeight() > 0 {
		return ranking.Weight(r.session[i])
	}
	return 1
}

// customers returns the ids as the tables hold them: a []*int32, a []*int64 or a []*string. An id is nil, which joins with
// nobody, for a visitor who is not known and for an id that no table can hold.
func (q *batchQuery) customers(places []int) any {
	ids := make([]*string, len(places))
	for k, i := range places {
		ids[k] = q.records[i].record.Customer
	}
	switch of := shape.OrLab(q.version.Shop).Customer.Type; of {
	case shape.Int:
		return typedIDs[int32](ids, of)
	case shape.BigInt:
		return typedIDs[int64](ids, of)
	default:
		return typedIDs[string](ids, of)
	}
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
