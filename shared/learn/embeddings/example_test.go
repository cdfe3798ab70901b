package embeddings_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"recsys/shared/contract/shape"
	"recsys/shared/learn/embeddings"
)

func ExampleWrite() {
	vectors := []float32{0.5, -1, 0, 0, 2, 0.25}
	written, err := embeddings.Write(os.Stdout, []string{"S10_1678", "no direction", `6" wheel`}, shape.Text, vectors, 2)
	fmt.Println(written, err)
	// Output:
	// id,embedding
	// "S10_1678","[0.5,-1]"
	// "6"" wheel","[2,0.25]"
	// 2 <nil>
}

// A Reader names all bad lines at once.
func ExampleItems() {
	file := "id,embedding\n" +
		"S10_1678,\"[0.5,-1]\"\n" +
		"S10_1949,\"[0.5]\"\n" +
		"S10_1678,\"[1,1]\"\n"
	faults := &embeddings.Faults{}
	items := embeddings.Items("items.csv", func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(file)), nil
	}, faults)
	for items.Next() {
		id, vector := items.Row()
		fmt.Println(id, vector)
	}
	fmt.Println(items.Err())
	// Output:
	// S10_1678 [0.5 -1]
	// 2 bad lines:
	// items.csv line 3: 1 numbers, the first embedding of the items has 2
	// items.csv line 4: id S10_1678 stands in line 2 already
}

func ExampleUsers() {
	var file bytes.Buffer
	if _, err := embeddings.Write(&file, []string{"103"}, shape.Int, []float32{1, 0}, 2); err != nil {
		fmt.Println(err)
		return
	}
	users := embeddings.Users("users.csv", shape.Int, func() (io.ReadCloser, error) { return io.NopCloser(&file), nil }, &embeddings.Faults{})
	for users.Next() {
		number, vector := users.Row()
		fmt.Println(number, vector)
	}
	fmt.Println(users.Err())
	// Output:
	// 103 [1 0]
	// <nil>
}
