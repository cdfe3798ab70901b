package blend_test

import (
	"fmt"

	"recsys/shared/contract/distance"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
)

// A customer likes ships more than cars, and has the car whose buyers also buy the garage.
func Example() {
	model := blend.Model{
		Metric: distance.InnerProduct, Dimension: 2,
		Items:      []string{"car", "garage", "ship"},
		Vectors:    []float32{1, 0, 0.2, 0, 0, 1},
		Neighbours: &neighbours.Table{Start: []int64{0, 1, 1, 1}, Items: []int32{1}, Weights: []float32{0.3}},
		Beta:       0.6,
	}
	scorer, err := blend.NewScorer(model)
	if err != nil {
		fmt.Println(err)
		return
	}
	scores := make([]float32, scorer.Items())
	scorer.ScoreOne(scores, []float32{0.5, 1}, []int32{0})
	for i, score := range scores {
		fmt.Printf("%s %.2f\n", model.Items[i], score)
	}
	// Output:
	// car 0.38
	// garage 0.68
	// ship 0.75
}
