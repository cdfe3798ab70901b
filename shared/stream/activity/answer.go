package activity

import (
	"encoding/json"
	"strconv"
	"time"
)

// Strategy is a rung of the ladder: how recommended items were found. The rungs are tried in the order of Strategies; a
// list that one leaves short is filled up from those below. A record's strategy is the rung of its first item.
type Strategy string

const (
	// Model: nearest to the vector that the version's own model makes of city, country and credit limit. Where the model
	// is for customers without a vector of their own (model.Model.ForUnseen), StoredVector goes before it.
	Model Strategy = "model"
	// StoredVector: nearest to the customer's vector as the data scientist handed it over.
	StoredVector Strategy = "stored-vector"
	// History: nearest to the mean of the vectors of the session's known products. A session also moves the vectors of
	// Model and StoredVector towards its own: that changes no name.
	History Strategy = "history"
	// Trending: what recent sessions put into their carts, those that count most today first.
	Trending Strategy = "trending"
	// PopularInCountry: rated most often in the customer's country.
	PopularInCountry Strategy = "popular-in-country"
	// Popular: rated most often anywhere; at its end what nobody has rated.
	Popular Strategy = "popular"
	// None: no version is active, or it has nothing that may be recommended; the list is empty.
	None Strategy = "none"
)

// Strategies are all of them, from the top of the ladder to its end.
var Strategies = []Strategy{Model, StoredVector, History, Trending, PopularInCountry, Popular, None}

// The members that an answer adds.
const (
	recommendedKey    = "recommended_items"
	similarKey        = "similar_items"
	trendingKey       = "trending_items"
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
	// SimilarTo is the product that Similar is about: the most telling one of the session that is known; "" for none.
	SimilarTo string
	// Similar is nearest first and never holds SimilarTo itself.
	Similar []Near
	// Trending are the items of the rung of that name, their scores among them; nil where they are not asked for, and
	// then the record goes out without them.
	Trending []Scored
}

// Scored is a recommended item. The score is that of the rung that Answer.Strategy names, higher for a better item: by
// the version's metric; for Trending the carts of recent sessions, the older ones worth less; for PopularInCountry and
// Popular the number of ratings. Scores never rise from one item to the next, unless diversity put them into another
// order. Those of items that a lower rung filled in say no more than this order: they begin under the last score of the
// rung before. Scores of different strategies or versions do not compare.
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
	dst = append(dst, `"recommended_items":`...)
	dst = appendScored(dst, answer.Recommended)
	dst = append(dst, `,"similar_items":{"product_code":`...)
	if answer.SimilarTo == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendString(dst, answer.SimilarTo)
	}
	dst = append(dst, `,"similar_items":[`...)
	for i, item := range answer.Similar {
		dst = appendItem(dst, i, item.ID, `"distance":`, item.Distance)
	}
	dst = append(dst, `]},`...)
	if answer.Trending != nil {
		dst = append(dst, `"trending_items":`...)
		dst = append(appendScored(dst, answer.Trending), ',')
	}
	dst = append(dst, `"recommendation":{"event_id":`...)
	dst = appendString(dst, answer.EventID)
	dst = append(dst, `,"model_version":`...)
	dst = strconv.AppendInt(dst, answer.ModelVersion, 10)
	dst = append(dst, `,"strategy":`...)
	dst = appendString(dst, string(answer.Strategy))
	dst = append(dst, `,"generated_at":"`...)
	dst = answer.GeneratedAt.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	return append(dst, "\"}}\n"...)
}

func appendScored(dst []byte, items []Scored) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		dst = appendItem(dst, i, item.ID, `"score":`, item.Score)
	}
	return append(dst, ']')
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
