package versiontest

import (
	"fmt"
	"math/rand/v2"
)

// dimension is that of the random vectors.
const dimension = 32

// RandomVectors are seeded and have no structure, the hardest case for the index.
func RandomVectors(n int) [][]float32 {
	chance := rand.New(rand.NewPCG(1, uint64(n)))
	vectors := make([][]float32, n)
	for i := range vectors {
		vectors[i] = make([]float32, dimension)
		for k := range vectors[i] {
			vectors[i][k] = float32(chance.NormFloat64())
		}
	}
	return vectors
}

// ManyItems are n items with random vectors.
func ManyItems(n int) map[string][]float32 {
	items := map[string][]float32{}
	for i, vector := range RandomVectors(n) {
		items[fmt.Sprintf("item-%05d", i)] = vector
	}
	return items
}

// ManyUsers are n users with random vectors, from 1 on.
func ManyUsers(n int) map[int32][]float32 {
	users := map[int32][]float32{}
	for i, vector := range RandomVectors(n) {
		users[int32(i+1)] = vector
	}
	return users
}

// LargeShop has 10,000 items, of which one in 20 is out of stock, and 1,000 customers who have rated 20 each.
func LargeShop() Version {
	v := Version{Items: ManyItems(10_000), Users: ManyUsers(1000), Popularity: Popularity}
	chance := rand.New(rand.NewPCG(3, 3))
	for user := range v.Users {
		for _, item := range chance.Perm(10_000)[:20] {
			v.Rated = append(v.Rated, []any{user, fmt.Sprintf("item-%05d", item)})
		}
	}
	for item := range v.Items {
		v.Attributes = append(v.Attributes, []any{item, fmt.Sprintf("line %d", chance.IntN(7)), int32(chance.IntN(20))})
	}
	return v
}
