package als_test

import (
	"context"
	"fmt"

	"recsys/shared/learn/als"
	"recsys/shared/learn/sparse"
)

// Four customers rate four items. The first two like the items 0 and 1, the others the items 2 and 3. Customer 0 has not
// rated item 1 yet.
func ExampleFit() {
	ratings := &sparse.Matrix{
		Width:   4,
		Start:   []int64{0, 1, 3, 5, 7},
		Columns: []int32{0, 0, 1, 2, 3, 2, 3},
		Ratings: []uint16{500, 500, 400, 500, 500, 400, 500}, // in hundredths of a star
	}
	options := als.Default()
	options.Factors = 2
	factors, err := als.Fit(context.Background(), als.Data{Ratings: ratings}, options, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	score := func(user, item int) (sum float32) {
		for k := range factors.Dimension {
			sum += factors.Users[user*factors.Dimension+k] * factors.Items[item*factors.Dimension+k]
		}
		return sum
	}
	fmt.Println("item 1 pleases customer 0 more than item 2:", score(0, 1) > score(0, 2))
	// Output:
	// item 1 pleases customer 0 more than item 2: true
}
