package main

import (
	"testing"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/postgrestest"
)

func TestHandle(t *testing.T) {
	server := postgrestest.ForTest(t)
	t.Run("a version that knows the customers is promoted", func(t *testing.T) { testPromoted(t, setup(t, server)) })
	t.Run("noise is refused, and leaves its row and its report", func(t *testing.T) { testRefused(t, setup(t, server)) })
	t.Run("a hand-over is only reported on", func(t *testing.T) { testReported(t, setup(t, server)) })
	t.Run("item kNN decides only if it is asked to", func(t *testing.T) { testNeighbours(t, setup(t, server)) })
	t.Run("neighbours rank next to the vectors", func(t *testing.T) { testBlend(t, setup(t, server)) })
	t.Run("damaged neighbours", func(t *testing.T) { testDamagedNeighbours(t, setup(t, server)) })
	t.Run("another hold-out is no fair comparison", func(t *testing.T) { testAnotherHoldOut(t, setup(t, server)) })
	t.Run("nothing to measure with", func(t *testing.T) { testUnmeasured(t, setup(t, server)) })
	t.Run("an attempt after an interruption ends alike", func(t *testing.T) { testInterrupted(t, setup(t, server)) })
	t.Run("a newer version is active", func(t *testing.T) { testSuperseded(t, setup(t, server)) })
	t.Run("the active version's files are gone", func(t *testing.T) { testActiveWithoutFiles(t, setup(t, server)) })
	t.Run("a sample of many customers", func(t *testing.T) { testSampled(t, setup(t, server)) })
	t.Run("a shop of orders is judged by time", func(t *testing.T) { testByTime(t, setup(t, server)) })
	t.Run("the active version saw all that is held out by time", func(t *testing.T) { testActiveSawAll(t, setup(t, server)) })
	t.Run("another shop file is no fair comparison", func(t *testing.T) { testAnotherShop(t, setup(t, server)) })
	t.Run("a hand-over is judged by time, too", func(t *testing.T) { testHandOverByTime(t, setup(t, server)) })
	t.Run("versions that cannot be evaluated", func(t *testing.T) { testInvalid(t, setup(t, server)) })
}

// A function starts while its database is away, and says which setting is wrong.
func TestWire(t *testing.T) {
	testbed.Wire(t, map[string]string{
		"LAKE_BUCKET": "lake", "ARTIFACTS_BUCKET": "artifacts", "VECTOR_STORE_URL": "postgres://recsys_loader@127.0.0.1:1/recsys",
	}, map[string]string{"GATE_TRAINED": "maybe", "VECTOR_STORE_URL": "postgres://%zz", "LAKE_BUCKET": ""}, func() error {
		handler, err := wire(t.Context())
		if err != nil {
			return err
		}
		handler.DB.Close()
		if err := handler.Trained.Validate(); err != nil || handler.Trained.Mode != "enforce" || handler.HandedOver.Mode != "report" {
			t.Errorf("gates %+v, %+v, %v", handler.Trained, handler.HandedOver, err)
		}
		return nil
	})
}
