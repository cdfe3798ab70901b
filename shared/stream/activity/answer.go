package activity

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Strategy is a rung of the ladder: the way in which recommended items were found. The rungs are tried in the order of
// Strategies. A list that one leaves short is filled from those below. A record's strategy is the rung of its first item.
type Strategy string

const (
	// Model items are nearest to the vector that the version's own model computes from the record's features.
	// StoredVector goes before it if the model is for customers without a vector of their own (model.Model.ForUnseen).
	Model Strategy = "model"
	// StoredVector items are nearest to the customer's vector in the version.
	StoredVector Strategy = "stored-vector"
	// History items are nearest to the mean of the session's known products. A session also moves the vectors of Model and
	// StoredVector. That changes no name.
	History Strategy = "history"
	// Trending items are those that recent sessions put into their carts.
	Trending Strategy = "trending"
	// PopularInGroup items have most interactions in the customer's group, a value of shape.Shop.Group. Answers name it after
	// the column, see In.
	PopularInGroup Strategy = "popular-in-group"
	// Popular items have most interactions anywhere. Those without any come last.
	Popular Strategy = "popular"
	// None means an empty list: no version is active, or nothing is left to recommend.
	None Strategy = "none"
)

// Strategies holds all of them, from the top of the ladder to its end. StoredVector and Model never answer the same record.
var Strategies = []Strategy{Model, StoredVector, History, Trending, PopularInGroup, Popular, None}

// ParseStrategy returns the strategy of that name, or an error.
func ParseStrategy(name string) (Strategy, error) {
	for _, strategy := range Strategies {
		if string(strategy) == name {
			return strategy, nil
		}
	}
	return "", fmt.Errorf("unknown strategy %q", name)
}

// In returns the strategy's name in answers and metrics of a shop that counts popularity by this group, a column. The lab's is
// popular-in-country.
func (s Strategy) In(group string) Strategy {
	if s != PopularInGroup {
		return s
	}
	return Strategy("popular-in-" + group)
}

// StrategiesOf returns the names that answers of such a shop may have. Without a group ("") there is none of PopularInGroup.
func StrategiesOf(group string) []Strategy {
	var all []Strategy
	for _, strategy := range Strategies {
		if strategy != PopularInGroup || group != "" {
			all = append(all, strategy.In(group))
		}
	}
	return all
}

// ByVector reports whether the strategy searches for the items nearest to a vector.
func (s Strategy) ByVector() bool { return s == Model || s == StoredVector || s == History }

// The members that an answer adds. A test compares them with the tags of Answer.
const (
	recommendedKey    = "recommended_items"
	similarKey        = "similar_items"
	trendingKey       = "trending_items"
	recommendationKey = "recommendation"
)

// AnswerMembers are the names of the members that an answer adds to its record.
var AnswerMembers = []string{recommendedKey, similarKey, trendingKey, recommendationKey}

// Answer holds the members that are added to a record.
type Answer struct {
	// Recommended is best first.
	Recommended []Scored `json:"recommended_items"`
	Similar     Similar  `json:"similar_items"`
	// Trending holds the items of that strategy with their own scores. Nil leaves the member out.
	Trending       []Scored       `json:"trending_items,omitzero"`
	Recommendation Recommendation `json:"recommendation"`
}

// Recommendation says how an answer came about.
type Recommendation struct {
	// EventID is the shard's id and the sequence number, "shardId-000000000000:4954…". Delivery is at least once, so
	// consumers drop an answer whose event they have seen.
	EventID string `json:"event_id"`
	// ModelVersion is the embedding version that all of the answer belongs to, 0 if none is active.
	ModelVersion int64 `json:"model_version"`
	// Strategy has its name in the shop's group.
	Strategy Strategy `json:"strategy"`
	// GeneratedAt goes out in UTC, with milliseconds.
	GeneratedAt time.Time `json:"generated_at"`
}

// Similar is the items that are similar to one product of the session.
type Similar struct {
	// To is the most telling product of the session that the version knows, "" if there is none. It goes out as null then.
	To string `json:"product_code"`
	// Items is nearest first and never holds To itself.
	Items []Near `json:"similar_items"`
}

// Scored is a recommended item. A better item has a higher score, and the strategy says of what. A search by vector scores
// by the version's metric. Trending counts the carts of recent sessions, and older ones less. PopularInGroup and Popular
// sum the interactions, weighted by type, and older ones less if the shop has a half-life.
//
// Scores never rise from one item to the next, unless diversity changed the order. Those of a lower rung only continue the
// order: they begin under the last score of the rung before. Scores of different strategies or versions do not compare.
type Scored struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
	// Strategy is the item's own, and Reason is why it is in the list, where that was asked. The stream's answers hold neither.
	Strategy Strategy `json:"-"`
	Reason   Reason   `json:"-"`
}

// Reason says why an item is recommended.
type Reason struct {
	Code ReasonCode
	// Of is the product or the group that the code speaks of, "" if it speaks of none.
	Of string
}

// ReasonCode is a kind of reason. Trending and popular items have the name of their strategy.
type ReasonCode string

const (
	// NearHistory: a product that the customer has rated or bought speaks for the item.
	NearHistory ReasonCode = "near-history"
	// NearCart: a product in the cart does.
	NearCart ReasonCode = "near-cart"
	// NearSession: a product that the session looked at does.
	NearSession ReasonCode = "near-session"
	// FitsTaste: the customer's vector does, and no product is known that it comes from.
	FitsTaste ReasonCode = "fits-taste"
	// PopularIn: it is popular in the customer's group.
	PopularIn = ReasonCode(PopularInGroup)
)

// Near is a similar item. The distance, by the version's metric, is lower for a nearer item.
type Near struct {
	ID       string  `json:"id"`
	Distance float64 `json:"distance"`
}

// Append appends the enriched record to dst: one line with its line feed. The record's own bytes stay as they came, which
// encoding/json could not promise.
func (r *Record) Append(dst []byte, answer *Answer) []byte {
	dst = append(dst, r.body...)
	if len(r.body) > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, `"recommended_items":`...)
	dst = appendScored(dst, answer.Recommended)
	dst = append(dst, `,"similar_items":{"product_code":`...)
	if answer.Similar.To == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendString(dst, answer.Similar.To)
	}
	dst = append(dst, `,"similar_items":[`...)
	for i, item := range answer.Similar.Items {
		dst = appendItem(dst, i, item.ID, `"distance":`, item.Distance)
	}
	dst = append(dst, `]},`...)
	if answer.Trending != nil {
		dst = append(dst, `"trending_items":`...)
		dst = append(appendScored(dst, answer.Trending), ',')
	}
	dst = append(dst, `"recommendation":{"event_id":`...)
	dst = appendString(dst, answer.Recommendation.EventID)
	dst = append(dst, `,"model_version":`...)
	dst = strconv.AppendInt(dst, answer.Recommendation.ModelVersion, 10)
	dst = append(dst, `,"strategy":`...)
	dst = appendString(dst, string(answer.Recommendation.Strategy))
	dst = append(dst, `,"generated_at":"`...)
	dst = answer.Recommendation.GeneratedAt.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	return append(dst, "\"}}\n"...)
}

func appendScored(dst []byte, items []Scored) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		dst = appendItem(dst, i, item.ID, `"score":`, item.Score)
	}
	return append(dst, ']')
}

// appendItem writes one item of a list. The value is finite, so its shortest form is a JSON number.
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
