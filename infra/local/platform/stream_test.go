package platform

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/lake"
	"recsys/shared/stream/unpack/unpacktest"
)

// The local Kinesis never refuses a record, as AWS does when a shard has too much to take.
func TestRecordsThatKinesisRefusesArePutAgain(t *testing.T) {
	var taken []string
	refuse := 2
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Records []struct{ Data []byte } }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		type answer = map[string]string
		var answers []answer
		for i, record := range asked.Records {
			if i%2 == 1 && refuse > 0 {
				answers = append(answers, answer{"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "too much"})
				continue
			}
			taken = append(taken, string(record.Data))
			answers = append(answers, answer{"ShardId": "shard", "SequenceNumber": string(record.Data)})
		}
		refuse--
		if err := json.NewEncoder(w).Encode(map[string]any{"Records": answers}); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	cfg, err := clientConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Endpoints: Endpoints{Kinesis: server.URL}}
	c.connectKinesis(cfg)
	events, err := c.PutRecords(t.Context(), strings.NewReader("1\n2\n3\n4\n5\n"))
	if want := []string{"shard:1", "shard:2", "shard:3", "shard:4", "shard:5"}; err != nil || !slices.Equal(events, want) {
		t.Errorf("events %v (%v), want %v", events, err, want)
	}
	if slices.Sort(taken); !slices.Equal(taken, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("taken are %v", taken)
	}
}

// A packed file that no Kinesis record holds is refused before anything is put.
func TestAPackedFileThatIsTooLarge(t *testing.T) {
	file := io.MultiReader(bytes.NewReader(unpacktest.Gzip("{}")), strings.NewReader(strings.Repeat("x", maxRecord)))
	if events, err := (&Client{}).PutRecords(t.Context(), file); err == nil || !strings.Contains(err.Error(), "unpack it first") {
		t.Errorf("%v, %v", events, err)
	}
}

// Others' answers lie beside the wanted ones: of the hour before, and rejections of long ago.
func TestAnswersAreFoundWhereTheyLie(t *testing.T) {
	store, server := s3test.ForTest(t, RecommendationsBucket)
	cfg, err := clientConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Endpoints: Endpoints{S3: server.URL()}}
	c.connectS3(cfg)
	since := time.Now().Truncate(time.Hour)
	var packed bytes.Buffer
	lines := gzip.NewWriter(&packed)
	fmt.Fprintln(lines, `{"city":"Nantes","recommendation":{"event_id":"shard:101"}}`)
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	key := AnswersPrefix + since.Add(-time.Second).UTC().Format("year=2006/month=01/day=02/hour=15/") + "segment.gz"
	if _, err := store.Put(t.Context(), key, bytes.NewReader(packed.Bytes())); err != nil {
		t.Fatal(err)
	}
	for sequence, content := range map[string]string{"7": "not of this stream", "102": `{"event_id":"shard:102","reason":"because"}`} {
		if _, err := store.Put(t.Context(), lake.RejectedKey("shard", sequence), strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	answers, _, err := c.Answers(t.Context(), []string{"shard:101", "shard:102"}, since, func(int) {})
	if err != nil || len(answers) != 2 || answers[0].Member("city") != "Nantes" || answers[1].Rejected != "because" {
		t.Errorf("answers %+v (%v)", answers, err)
	}
}
