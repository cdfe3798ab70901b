package ranking

import "recsys/shared/stream/activity"

// Candidate is an item that a retrieval found for one record, with the facts that decide whether it may be recommended.
type Candidate struct {
	ID string
	// Value is how well the item fits, in the strategy's own unit. For a strategy by vectors and for similar items it is the
	// distance, where lower is better. For the others it is a count, where higher is better.
	Value float64
	// Line is the item's product line, "" if it is unknown or nobody asked for it.
	Line string

	Rated     bool // the customer has rated it
	InSession bool // it is in the session's history or cart
	SoldOut   bool // the newest snapshot has none in stock
	Gone      bool // the newest snapshot does not hold it
}

// List is the candidates of one strategy, in any order.
type List struct {
	Items []Candidate
	// Cut reports that the retrieval stopped before it had seen all items.
	Cut bool
}

// Candidates is everything that the retrievals found for one record.
type Candidates struct {
	// Lists holds a list for each strategy that was asked.
	Lists map[activity.Strategy]List
	// SimilarTo is the product that Similar is about, "" if the session has no known product.
	SimilarTo string
	Similar   List
}
