package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// TestBinary runs the very binary that AWS runs, wired by its environment alone.
func TestBinary(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.load(versiontest.Small())
	dir := t.TempDir()
	bootstrap := filepath.Join(dir, "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-tags=lambda.norpc", "-o", bootstrap, ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	emulator, err := lambda.Start(t.Context(), lambda.Config{Dir: dir})
	w.Must(err)
	t.Cleanup(func() { emulator.Close() })

	step := workflow.Named("recommend", workflow.Resources{
		Artifacts: settings.Artifacts{Bucket: artifactsBucket}, Reader: settings.VectorStore{URL: w.readerURL},
		RecommendationsBucket: recommendationsBucket, DeliveryStream: deliveryStream,
	}, settings.Default[settings.Options]())
	env := settings.Environ(step.Settings)
	env["AWS_ENDPOINT_URL_S3"], env["AWS_ENDPOINT_URL_FIREHOSE"] = w.S3.URL(), w.firehose.URL()
	w.Must(emulator.Register(lambda.Function{Name: "recommend", Bootstrap: bootstrap, Env: env,
		Timeout: step.Timeout, MemoryMB: step.MemoryMiB}))

	event, err := os.ReadFile("event.json")
	w.Must(err)
	for range 2 {
		answer, failed, err := emulator.Invoke(t.Context(), "recommend", event)
		if failed != nil || err != nil {
			t.Fatal(failed, err)
		}
		var response struct {
			BatchItemFailures []any `json:"batchItemFailures"`
		}
		w.Must(json.Unmarshal(answer, &response))
		if len(response.BatchItemFailures) != 0 {
			log, _ := os.ReadFile(filepath.Join(dir, "logs", "recommend.log"))
			t.Fatalf("answered %s\n%s", answer, log)
		}
	}
	if outputs := w.delivered(); len(outputs) != 4 || outputs[0].Recommendation.Strategy != "stored-vector" {
		t.Errorf("delivered %+v", outputs)
	}
	if peak := emulator.PeakMemory("recommend") >> 20; peak > int64(step.MemoryMiB) {
		t.Errorf("it took %d MiB of memory; it has %d", peak, step.MemoryMiB)
	}
}
