package main

import (
	"fmt"
	"testing"

	"recsys/infra/local/testbed/world"
	"recsys/shared/contract/lake"
	"recsys/shared/store/vectorstore"
)

func TestInterruptedAnywhere(t *testing.T) {
	server := server(t)
	world.InterruptedAnywhere(t, func(t *testing.T, n int64) (rows []string, passed int64) {
		b := setup(t, server)
		run := b.run()
		run.Artifacts = b.train(run, goodItems, goodUsers)
		b.trainNeighbours(run, someNeighbours)
		b.publish("s1", noon, lake.ItemCount{Item: "S10_1678", Group: "France", Count: 2})
		points := b.Interrupt(n)
		b.DB = points.DB
		out, err := b.Handle(t.Context(), run)
		if (err == nil) != (n == 0) {
			t.Errorf("the first attempt: %v", err)
		}
		if err != nil {
			out, err = b.Handle(t.Context(), run)
		}
		b.Must(err)
		passed = points.Passed()
		rows = append(b.dump(out.Version), b.rows(vectorstore.NeighbourTable(out.Version))...)
		return append(rows, fmt.Sprintf("%x", b.catalogue(out.Version)), fmt.Sprintf("%+v %s", out, b.status(out.Version))), passed
	})
}
