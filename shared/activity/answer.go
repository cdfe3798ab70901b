package activity

import (
	"encoding/json"
	"strconv"
	"time"
)

// Strategy is how the recommended items of a record were found. The first that applies is taken.
type Strategy string

const (
	// Model: the version's own model turned city, country and credit limit into the user's vector.
	Model Strategy = "model"
	// StoredVector: the customer's vector as the data scientist handed it over.
	StoredVector Strategy = "stored-vector"
	// History: the mean of the vectors of the session's known products.
	History Strategy = "history"
	// Popular: the products rated most often, those of the customer's country first.
	Popular Strategy = "popular"
	// None: there is nothing to recommend from; the lists are empty.
	None Strategy = "none"
)

// The members that an answer adds.
const (
	recommendedKey    = "recommended_items"
	similarKey        = "similar_items"
	recommendationKey = "recommendation"
)

// Answer is what is added to a record.
type Answer struct {
	// EventID is the shard's id and the sequence number, "shardId-000000000000:4954…": delivery is at
	// least once, so consumers drop an answer whose event they have seen.
	EventID string
	// ModelVersion is the embedding version that all of the answer is of; 0 where there is none.
	ModelVersion int64
	Strategy     Strategy
	GeneratedAt  time.Time
	// Recommended is best first.
	Recommended []Scored
	// SimilarTo is the product that Similar is about: the first known one of Record.Products; "" for none.
	SimilarTo string
	// Similar is nearest first and never holds SimilarTo itself.
	Similar []Near
}

// Scored is a recommended item. The score is higher for a better item, by the version's metric. For Popular
// it is the number of ratings from the customer's country, and under 1 for an item that only fills the list
// up; without a known country it is the number of all ratings. Scores of different strategies or versions do
// not compare.
type Scored struct {
	ID    string
	Score float64
}

// Near is a similar item: the distance, by the version's metric, is lower for a nearer item.
type Near struct {
	ID       string
	Distance float64
}

// Append appends the enriched record to dst: one line with its line feed.
func (r *Record) Append(dst []byte, answer *Answer) []byte {
	dst = append(dst, r.body...)
	if len(r.body) > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, `"recommended_items":[`...)
	for i, item := range answer.Recommended {
		dst = appendItem(dst, i, item.ID, `"score":`, item.Score)
	}
	dst = append(dst, `],"similar_items":{"product_code":`...)
	if answer.SimilarTo == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendString(dst, answer.SimilarTo)
	}
	dst = append(dst, `,"similar_items":[`...)
	for i, item := range answer.Similar {
		dst = appendItem(dst, i, item.ID, `"distance":`, item.Distance)
	}
	dst = append(dst, `]},"recommendation":{"event_id":`...)
	dst = appendString(dst, answer.EventID)
	dst = append(dst, `,"model_version":`...)
	dst = strconv.AppendInt(dst, answer.ModelVersion, 10)
	dst = append(dst, `,"strategy":`...)
	dst = appendString(dst, string(answer.Strategy))
	dst = append(dst, `,"generated_at":"`...)
	dst = answer.GeneratedAt.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	return append(dst, "\"}}\n"...)
}

// appendItem writes one item of a list; value is finite, so its shortest form is a JSON number.
func appendItem(dst []byte, index int, id, name string, value float64) []byte {
	if index > 0 {
		dst = append(dst, ',')
	}
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, id)
	dst = append(dst, ',')
	dst = append(dst, name...)
	dst = strconv.AppendFloat(dst, value, 'g', -1, 64)
	return append(dst, '}')
}

func appendString(dst []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			quoted, _ := json.Marshal(text) // a string always marshals
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, text...)
	return append(dst, '"')
}
