package main

import (
	"fmt"
	"testing"

	"recsys/infra/local/testbed/world"
	"recsys/shared/contract/lake"
)

func TestInterruptedAnywhere(t *testing.T) {
	server := server(t)
	world.InterruptedAnywhere(t, func(t *testing.T, n int64) (rows []string, passed int64) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.publish("s1", noon, lake.ItemCount{Item: "S10_1678", Group: "France", Count: 2})
		points := b.Interrupt(n)
		b.DB = points.DB
		run := b.run()
		out, err := b.Handle(t.Context(), run)
		if (err == nil) != (n == 0) {
			t.Errorf("the first attempt: %v", err)
		}
		if err != nil {
			out, err = b.Handle(t.Context(), run)
		}
		b.Must(err)
		passed = points.Passed()
		return append(b.dump(out.Version), fmt.Sprintf("%+v %s", out, b.status(out.Version))), passed
	})
}
