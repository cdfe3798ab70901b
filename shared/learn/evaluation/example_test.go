package evaluation_test

import (
	"context"
	"fmt"

	"recsys/shared/contract/distance"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/sparse"
)

// Two customers, three items. Each customer has rated one item, and one rating is held out. The vectors rank the held-out
// item first for customer 0, and second for customer 1.
func ExampleEvaluate() {
	train := &sparse.Matrix{Width: 3, Start: []int64{0, 1, 2}, Columns: []int32{0, 1}, Ratings: []uint16{500, 500}}
	heldOut := &sparse.Matrix{Width: 3, Start: []int64{0, 1, 2}, Columns: []int32{1, 0}, Ratings: []uint16{400, 400}}
	customers := [][]float32{{1, 0}, {0, 1}}
	items := [][]float32{{1, 0}, {0.9, 0.1}, {0.1, 0.9}}
	scorer, err := evaluation.NewEmbeddings(distance.InnerProduct, 2, customers, items)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := evaluation.Evaluate(context.Background(), evaluation.HoldOut{Train: train, HeldOut: heldOut}, scorer, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("NDCG@10 %.3f, recall@10 %.1f, MRR %.2f\n", result.NDCG10(), result.At[1].Recall, result.MRR)
	// Output:
	// NDCG@10 0.815, recall@10 1.0, MRR 0.75
}
