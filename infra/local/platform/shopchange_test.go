package platform

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"recsys/infra/local/aws/awscall"
	"recsys/shared/contract/lake"
)

const trained = `{"train":true}`

// One lake goes from the lab's shop to a shop file, to another file, and back. Each time readers see one shop, whole, and
// nothing of a shop is compared or mixed with another's.
func TestChangesOfTheShop(t *testing.T) {
	t.Parallel()
	first := newHandOver("a", 8, 1)
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL = []string{looseShop(t, called("a")), orderDump(t)}
		c.Options.RowsPerRange, c.Options.MaxConcurrency, c.Options.GateTrained = 18, 4, "report"
		c.Options.Factors, c.Options.Iterations, c.Options.Search.Search = 8, 1, "off"
	})
	upload(t, p, first.files)
	if out := mustExecute(t, p, "lab", 1, `{}`); out.Embeddings.Index.Version != 1 {
		t.Fatalf("the lab's run: %+v", out)
	}
	wantWhole(t, p, "lab", first)
	a, b := writeShop(t, "a", orderFile), writeShop(t, "b", orderFile+"rules: {guest: skip}\n")

	t.Run("from the lab to a file and back", func(t *testing.T) { thereAndBack(t, p, a, first) })
	t.Run("an older run with another file", func(t *testing.T) { olderOfAnotherFile(t, p, a, b) })
	t.Run("another file between attempts", func(t *testing.T) { fileBetweenAttempts(t, p, a, b) })
	t.Run("a shop that has expired", func(t *testing.T) { expiredShop(t, p, a) })
}

func hashOf(p *Platform) string { return p.shop.Hash }

func thereAndBack(t *testing.T, p *Platform, file string, first handOver) {
	deployShop(t, p, file)
	out := mustExecute(t, p, "orders", 2, trained)
	if out.TrainingData.Status != "published" || out.Training.Status != "trained" || out.Embeddings.Index.Version != 2 {
		t.Fatalf("orders: %+v", out)
	}
	wantOrders(t, p, "orders", hashOf(p))
	wantOrderAnswer(t, p, 2)

	out = mustExecute(t, p, "rolled-back", 3, rollback)
	if out.Embeddings.Index.Status != "rolled-back" || out.Embeddings.Index.Version != 1 {
		t.Errorf("rollback: %+v", out)
	}
	if answer := ask(t, p, visit(123))[0]; answer.Recommendation.ModelVersion != 1 || !sameList(answer.Recommended, first.nearest(123)) {
		t.Errorf("after the rollback: %+v", answer)
	}
	wantOrders(t, p, "orders", hashOf(p)) // the snapshot stays

	deployShop(t, p, NoShopFile)
	if out := mustExecute(t, p, "lab-again", 4, `{}`); out.TrainingData.Status != "published" {
		t.Errorf("the lab again: %+v", out)
	}
	wantWhole(t, p, "lab-again", first)
}

// olderOfAnotherFile holds a run at its pointer and at its Glue table, while a run with a changed file ends.
func olderOfAnotherFile(t *testing.T, p *Platform, a, b string) {
	for i, hold := range []awscall.Hooks{{Before: nil}, {}} {
		gate := newGate(t)
		if hold.Before = at("PutObject", lake.LatestKey, gate); i == 1 {
			hold.Before = at("UpdateTable", "", gate)
		}
		deployShop(t, p, a)
		older := hashOf(p)
		p.S3.SetHooks(hold)
		p.Glue.SetHooks(hold)
		wait := begin(t, p, fmt.Sprint("older-", i), 10+2*i, trainingData)
		gate.wait(t)
		deployShop(t, p, b)
		newer := fmt.Sprint("newer-", i)
		if out := mustExecute(t, p, newer, 11+2*i, trainingData); out.TrainingData.Status != "published" {
			t.Errorf("the newer run: %+v", out)
		}
		gate.open()
		if out, err := wait(); err != nil || out.TrainingData.Status != "superseded" {
			t.Errorf("the older run: %+v, %v", out, err)
		}
		p.S3.SetHooks(awscall.Hooks{})
		p.Glue.SetHooks(awscall.Hooks{})
		wantOrders(t, p, newer, hashOf(p))
		if older == hashOf(p) {
			t.Error("both files are one")
		}
	}
}

// fileBetweenAttempts kills plan-extract right after a write, and changes the file before the next attempt.
func fileBetweenAttempts(t *testing.T, p *Platform, a, b string) {
	killAfter := func(key string) {
		var done atomic.Bool
		p.S3.SetHooks(awscall.Hooks{After: func(c awscall.Call) error {
			if c.Operation != "PutObject" || c.Key != key || done.Swap(true) {
				return nil
			}
			deployShop(t, p, b)
			p.Lambda.Kill(c.Caller.SessionToken)
			return errKilled
		}})
	}
	defer p.S3.SetHooks(awscall.Hooks{})
	before := visible(t, p)
	deployShop(t, p, a)
	killAfter(lake.ShapeKey("shop-stored"))
	_, failed := execute(t, p, "shop-stored", 20, trainingData)
	wantFailure(t, failed, "SchemaMismatch", "the shop file or the types of the source changed between two attempts of run shop-stored")
	wantNothingOf(t, p, "shop-stored")
	if got := visible(t, p); got != before {
		t.Errorf("readers see something else:\n%s\nbefore:\n%s", got, before)
	}

	deployShop(t, p, a)
	planned := hashOf(p)
	killAfter(lake.PlanKey("plan-stored"))
	if out := mustExecute(t, p, "plan-stored", 21, trainingData); out.TrainingData.Status != "published" {
		t.Errorf("with the plan stored: %+v", out)
	}
	wantOrders(t, p, "plan-stored", planned)
}

// expiredShop deletes the run's shop after one step's last write, so that the next step misses it.
func expiredShop(t *testing.T, p *Platform, file string) {
	defer p.S3.SetHooks(awscall.Hooks{})
	deployShop(t, p, file)
	before := visible(t, p)
	for i, written := range []func(run string) string{
		lake.PlanKey, // then extract misses it, then transform, partition-write, publish-training-data
		func(run string) string { return lake.RawKey(run, "products", orderRanges-1) },
		func(run string) string { return lake.RangeKey(run, orderRanges-1) },
		func(run string) string { return lake.RangeReportKey(run, orderRanges-1) },
	} {
		run := fmt.Sprint("expired-", i)
		p.S3.SetHooks(awscall.Hooks{After: func(c awscall.Call) error {
			if c.Key == written(run) {
				return os.Remove(p.path("s3", LakeBucket, lake.ShapeKey(run)))
			}
			return nil
		}})
		_, failed := execute(t, p, run, 30+i, trainingData)
		wantFailure(t, failed, "InvalidInput", "the shop of run "+run+" is gone", "start a run of another name")
		wantNothingOf(t, p, run)
	}
	if got := visible(t, p); got != before {
		t.Errorf("readers see something else:\n%s\nbefore:\n%s", got, before)
	}
}
