package ranking_test

import (
	"fmt"

	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// The first rung is short, so the next one fills the list. Its scores come below those of the first.
func ExampleLadder() {
	list, strategy := ranking.Ladder(3,
		ranking.Rung{Strategy: activity.Model, Items: []activity.Scored{{ID: "plane", Score: 0.9}}},
		ranking.Rung{Strategy: activity.Popular, Items: []activity.Scored{{ID: "ship", Score: 40}, {ID: "plane", Score: 30}, {ID: "train", Score: 20}}},
	)
	fmt.Println("strategy:", strategy)
	for _, item := range list {
		fmt.Printf("%s %.2f\n", item.ID, item.Score)
	}
	// Output:
	// strategy: model
	// plane 0.90
	// ship 0.88
	// train 0.39
}

// A product in the cart says more than one that was looked at, and counts three times in the session's mean.
func ExampleByTelling() {
	session := []activity.Product{{Code: "looked at", Quantity: 1}, {Code: "in the cart", Quantity: 2, InCart: true}}
	for _, product := range ranking.ByTelling(session) {
		fmt.Println(product.Code, ranking.Weight(product))
	}
	// Output:
	// in the cart 6
	// looked at 1
}
