package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/evaluation"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func testPromoted(t *testing.T, b *bench) {
	first := b.load(true, b.HeldOut, 1)
	out := b.evaluate(first)
	if !out.Promote || out.Status != "passed" || out.NDCG10 < 2*out.Popularity10 || out.Active10 != 0 {
		t.Errorf("the first version: %+v", out)
	}
	report := b.report(first)
	if report.Candidate.Origin != evaluation.Trained || report.Candidate.MayHaveSeen || len(report.Loss) != 2 || len(report.Options) != 1 ||
		report.Candidate.Result.Customers < customers*9/10 || report.Active != nil {
		t.Errorf("report %+v", report)
	}
	page, err := os.ReadFile(b.S3.Path("lake", lake.EvaluationPageKey("run-1")))
	if err != nil || !strings.Contains(string(page), "<html") || out.Report != "s3://lake/evaluations/run-1/report.html" {
		t.Errorf("page of %d bytes at %s, %v", len(page), out.Report, err)
	}
	var kept struct{ Figures map[string]evaluation.Result }
	b.Must(json.Unmarshal(b.record(first).Evaluation, &kept))
	if got := kept.Figures["candidate"]; got.MRR != report.Candidate.Result.MRR || got.At[2].K != 20 || kept.Figures["random"].Customers == 0 || kept.Figures["neighbours"].MRR != report.Neighbours.MRR {
		t.Errorf("the row keeps %+v", kept)
	}
	if b.activate(first); b.record(first).Status != vectorstore.Active {
		t.Error("the version did not stay as it was")
	}
	out = b.evaluate(b.load(true, b.HeldOut, 1))
	if !out.Promote || out.Active10 != out.NDCG10 {
		t.Errorf("as good as the active one: %+v", out)
	}
}

func testRefused(t *testing.T, b *bench) {
	good := b.load(true, b.HeldOut, 1)
	b.evaluate(good)
	b.activate(good)
	for _, test := range []struct {
		what  string
		taste float32
		why   string
	}{
		{"noise", 0, "Not surely better than"},
		{"a little taste", 0.3, "Worse than version 1"},
	} {
		version := b.load(true, b.HeldOut, test.taste)
		out := b.evaluate(version)
		if out.Promote || out.Status != "not-promoted" || !strings.Contains(out.Reason, test.why) || out.Active10 == 0 {
			t.Errorf("%s: %+v", test.what, out)
		}
		if record := b.record(version); record.Status != vectorstore.Failed || !record.Dropped || !strings.HasPrefix(record.Failure, "not promoted: ") {
			t.Errorf("%s: %+v", test.what, record)
		}
		if _, err := b.Artifacts.Head(t.Context(), lake.VersionKey(version, lake.TrainingKey)); !errors.Is(err, objectstore.ErrNotFound) {
			t.Errorf("%s: its artifacts are still there: %v", test.what, err)
		}
		if report := b.report(version); report.Decision.Promote || report.Active.Version != good {
			t.Errorf("%s: report %+v", test.what, report.Decision)
		}
		if again := b.evaluate(version); again != out {
			t.Errorf("%s, again: %+v", test.what, again)
		}
	}
	if current, _, err := vectorstore.Current(t.Context(), b.DB); err != nil || current.Version != good {
		t.Errorf("active is %+v, %v", current, err)
	}
}

func testReported(t *testing.T, b *bench) {
	version := b.load(false, lake.HoldOut{}, 0)
	out := b.evaluate(version)
	if !out.Promote || out.Status != "reported" {
		t.Errorf("noise that was handed over: %+v", out)
	}
	report := b.report(version)
	if !report.Candidate.MayHaveSeen || report.Candidate.Origin != evaluation.HandedOver || len(report.Decision.Remarks) == 0 {
		t.Errorf("report %+v", report.Decision)
	}
	b.HandedOver.Mode = evaluation.Enforce
	if out := b.evaluate(b.load(false, lake.HoldOut{}, 0)); out.Promote {
		t.Errorf("with enforce: %+v", out)
	}
}

func testAnotherHoldOut(t *testing.T, b *bench) {
	better := b.load(true, lake.HoldOut{Seed: 2, Fraction: 0.3}, 2) // as if it had learned tonight's hold-out by heart
	b.evaluate(better)
	b.activate(better)
	out := b.evaluate(b.load(true, b.HeldOut, 0.5))
	if !out.Promote || !(out.Active10 > out.NDCG10) {
		t.Errorf("got %+v", out)
	}
}

func testUnmeasured(t *testing.T, b *bench) {
	if err := os.Remove(b.S3.Path("lake", lake.LatestKey)); err != nil {
		t.Fatal(err)
	}
	version := b.load(false, lake.HoldOut{}, 0)
	if out := b.evaluate(version); !out.Promote || out.Status != "not-evaluated" || out.Report != "" {
		t.Errorf("got %+v", out)
	}
	b.HandedOver.Mode = evaluation.Enforce
	if out := b.evaluate(b.load(false, lake.HoldOut{}, 0)); out.Promote || out.Status != "not-promoted" {
		t.Errorf("with enforce: %+v", out)
	}
}

func testInterrupted(t *testing.T, b *bench) {
	version := b.load(true, b.HeldOut, 0)
	b.S3.SetHooks(awscall.Hooks{Before: func(call awscall.Call) error {
		if call.Operation == "DeleteObjects" {
			return errors.New("the function dies")
		}
		return nil
	}})
	in := workflow.EvaluateInput{Run: runOf(version), Version: version}
	if _, err := b.Handle(t.Context(), in); !errors.Is(err, failure.ObjectStoreUnavailable) {
		t.Fatalf("got %v", err)
	}
	first := b.report(version)
	b.S3.SetHooks(awscall.Hooks{})
	if out := b.evaluate(version); out.Promote || out.NDCG10 != first.Candidate.Result.NDCG10() {
		t.Errorf("got %+v", out)
	}
	if folders, err := b.Artifacts.Folders(t.Context(), lake.VersionsParent); err != nil || len(folders) > 0 {
		t.Errorf("there are %v, %v", folders, err)
	}
}

func testSuperseded(t *testing.T, b *bench) {
	old, next := b.load(true, b.HeldOut, 0), b.load(true, b.HeldOut, 1)
	b.evaluate(next)
	b.activate(next)
	if _, err := vectorstore.DropOld(t.Context(), b.DB, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Artifacts.DeletePrefix(t.Context(), lake.VersionPrefix(old)); err != nil {
		t.Fatal(err)
	}
	if out := b.evaluate(old); !out.Promote || out.Status != "superseded" {
		t.Errorf("got %+v", out)
	}
}

func testActiveWithoutFiles(t *testing.T, b *bench) {
	active := b.load(true, b.HeldOut, 1)
	b.evaluate(active)
	b.activate(active)
	if _, err := b.Artifacts.DeletePrefix(t.Context(), lake.VersionPrefix(active)); err != nil {
		t.Fatal(err)
	}
	next := b.load(true, b.HeldOut, 1)
	if out := b.evaluate(next); !out.Promote || out.Active10 != 0 {
		t.Errorf("got %+v", out)
	}
	if report := b.report(next); report.Active != nil || len(report.Remarks) != 1 {
		t.Errorf("report %+v", report)
	}
}

func testSampled(t *testing.T, b *bench) {
	all := b.load(true, b.HeldOut, 1)
	b.evaluate(all)
	b.MaxCustomers = 30
	version := b.load(true, b.HeldOut, 1)
	if out := b.evaluate(version); !out.Promote {
		t.Errorf("got %+v", out)
	}
	report := b.report(version)
	if got := report.Candidate.Result.Customers; got < 15 || got > 45 || len(report.Remarks) != 1 {
		t.Errorf("measured by %d customers, %v", got, report.Remarks)
	}
}

func testInvalid(t *testing.T, b *bench) {
	failed := b.load(true, b.HeldOut, 1)
	b.Must(vectorstore.Fail(t.Context(), b.DB, failed, b.record(failed).Artifacts, "bad"))
	for what, in := range map[string]workflow.EvaluateInput{
		"no such version": {Run: runOf(1), Version: 99}, "no run": {Version: failed}, "a version that has failed": {Run: runOf(failed), Version: failed},
	} {
		if out, err := b.Handle(t.Context(), in); !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%s: %+v, %v", what, out, err)
		}
	}
}

func TestEventIsAnEvaluateInput(t *testing.T) {
	if in := testbed.Event[workflow.EvaluateInput](t); in.Validate() != nil || in.Version == 0 {
		t.Errorf("%+v: %v", in, in.Validate())
	}
}
