package settings

import (
	"errors"
	"fmt"
	"time"
)

// Ranking is how recommend makes its lists.
type Ranking struct {
	Limit int `option:"limit" default:"5" min:"1" max:"100" text:"items that a list holds"`
	// SessionWeight of 0 leaves the vector alone, 1 moves it all the way. A customer without a vector is answered
	// from the session alone, for any weight.
	SessionWeight  float64 `option:"sessionWeight" default:"0.3" min:"0" max:"1" text:"how far the session moves the customer's vector towards its own products"`
	IncludeRated   bool    `option:"includeRated" default:"false" text:"lists may hold items that the customer has rated, by the newest snapshot"`
	IncludeSession bool    `option:"includeSession" default:"false" text:"lists may hold items of the session"`
	// IncludeOutOfStock goes by the newest snapshot. A product that it does not know is in stock.
	IncludeOutOfStock bool          `option:"includeOutOfStock" default:"false" text:"lists may hold items that are out of stock"`
	TrendingHalfLife  time.Duration `option:"trendingHalfLife" default:"6h" min:"0s" max:"87600h" text:"after which time a cart counts half. 0 keeps and recommends no trends"`
	TrendingItems     bool          `option:"trendingItems" default:"false" text:"answers have trending_items, too"`
	// InMemoryUpTo bounds the items of a version that are held in memory and searched exactly, in numbers: products times
	// dimension. They take 8 bytes a number, for two versions at most, and neighbours 8 bytes an entry. Larger versions are
	// searched by the index of the vector database.
	InMemoryUpTo int64 `option:"inMemoryUpTo" default:"6400000" min:"0" max:"25600000" text:"products × dimension up to which the search is in memory and exact. 0: always by the index of the vector database"`
	// Diversity, see ranking.Diverse.
	Diversity float64 `option:"diversity" default:"0" min:"0" max:"1" text:"how much of the score is given for product lines not yet in the list"`
}

// CheckTogether reports trends that cannot be.
func (s Ranking) CheckTogether() error {
	var faults []error
	if s.TrendingHalfLife != 0 && s.TrendingHalfLife < time.Second {
		faults = append(faults, fmt.Errorf("trendingHalfLife is %v: want at least 1s, or 0 for no trends", s.TrendingHalfLife))
	}
	if s.TrendingItems && s.TrendingHalfLife == 0 {
		faults = append(faults, errors.New("trendingItems is true and trendingHalfLife is 0: want a trendingHalfLife"))
	}
	return errors.Join(faults...)
}

// Patience bounds the work of a batch in the vector database. The function itself has a minute.
type Patience struct {
	DatabaseTimeout time.Duration `option:"databaseTimeout" default:"10s" min:"100ms" max:"50s" text:"bounds each step of a batch in the vector database: a connection, the version, the answers, the carts"`
}

// Requests is how the API treats a request.
type Requests struct {
	// RequestTimeout is below the function's own time, which leaves room for a degraded answer.
	RequestTimeout time.Duration `option:"apiTimeout" default:"2s" min:"100ms" max:"20s" text:"after which time the API answers with popular products in place of the database"`
	CustomerClaim  string        `option:"apiCustomerClaim" default:"sub" text:"the claim of a token that holds the customer's id, for the routes under /v1/me"`
}

// Feed is how the activity stream is handed to recommend: the numbers of Lambda's event source mapping.
type Feed struct {
	// A call comes when BatchSize or BatchWindowSeconds is reached.
	BatchSize          int `option:"batchSize" default:"500" min:"1" max:"10000" text:"records a call"`
	BatchWindowSeconds int `option:"batchWindowSeconds" default:"1" min:"0" max:"300" text:"how long a call waits for its records"`
	// A record that has failed for so long, or so often, goes whole to the recommendations bucket under aws/lambda/. The
	// default outlasts six hours without a database.
	MaxRecordAgeSeconds int `option:"maxRecordAgeSeconds" default:"21600" min:"60" max:"604800" text:"how long a record that fails is tried"`
	MaxAttempts         int `option:"maxAttempts" default:"1000" min:"0" max:"10000" text:"how often a batch that fails is tried again"`
}
