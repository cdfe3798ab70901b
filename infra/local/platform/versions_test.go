package platform

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"recsys/infra/local/sample"
	"recsys/shared/contract/lake"
)

const rollback = `{"rollback":true}`

// Back and forth between versions with models: each answers as before, although the originals in the bucket are
// overwritten. Versions that were rolled back stay away.
func TestRollback(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) { c.SourceSQL = []string{looseShop(t, sampleItems(t), called("third"))} })
	_, failed := execute(t, p, "nothing-to-roll-back", 0, rollback)
	wantFailure(t, failed, "InvalidInput", "rollback: no version is active")
	first := filesOf(t, sample.Artifacts())
	activates(t, p, "first", 1, first, 1)
	_, failed = execute(t, p, "nothing-before", 2, rollback)
	wantFailure(t, failed, "InvalidInput", "version 1 is active and there is no version before it")

	sessions := strings.Split(strings.TrimSpace(string(sample.Sessions())), "\n")[:20]
	ofFirst := listsOf(t, p, 1, sessions)
	second := filesOf(t, sample.Artifacts())
	second[lake.ModelKey].Data = otherModel(t, second[lake.ModelKey].Data)
	second[lake.UserScalerKey].Data = append(second[lake.UserScalerKey].Data, ' ') // another ETag, as pickles may end in anything
	activates(t, p, "second", 3, second, 2)
	ofSecond := listsOf(t, p, 2, sessions)
	for i := range sessions {
		if ofFirst[i] == ofSecond[i] {
			t.Errorf("session %d: both models give %s", i, ofFirst[i])
		}
	}

	out, failed := execute(t, p, "back", 4, rollback)
	if got := out.Embeddings.Index; failed != nil || got.Status != "rolled-back" || got.Version != 1 {
		t.Fatalf("%+v, %v", out, failed)
	}
	original, _, err := p.Store(ArtifactsBucket).Get(t.Context(), lake.ModelKey, 1<<20)
	if err != nil || !bytes.Equal(original, second[lake.ModelKey].Data) {
		t.Fatalf("the original in the bucket is not the second one: %v", err)
	}
	if err := p.Register(); err != nil { // another process answers, which has no model in its memory
		t.Fatal(err)
	}
	if got := listsOf(t, p, 1, sessions); !slices.Equal(got, ofFirst) {
		t.Errorf("after the rollback version 1 answers\n%v\nbefore\n%v", got, ofFirst)
	}
	out, failed = execute(t, p, "nightly", 5, `{}`)
	if got := out.Embeddings.Upload; failed != nil || got.Status != "rolled-back" || got.Version != 2 {
		t.Errorf("the run after the rollback: %+v, %v", out, failed)
	}
	if got := listsOf(t, p, 1, sessions); !slices.Equal(got, ofFirst) {
		t.Error("after another run version 1 answers otherwise")
	}
	third := newHandOver("third", 32, 3)
	activates(t, p, "third", 6, third.files, 3)
	if answer := ask(t, p, visit(105))[0]; !sameList(answer.Recommended, third.nearest(105)) {
		t.Errorf("version 3 answers %+v, want %v", answer, third.nearest(105))
	}
	out, failed = execute(t, p, "back-again", 7, rollback)
	if got := out.Embeddings.Index; failed != nil || got.Version != 1 {
		t.Errorf("back from version 3: %+v, %v; version 2 was rolled back and must stay away", out, failed)
	}
	if got := listsOf(t, p, 1, sessions); !slices.Equal(got, ofFirst) {
		t.Error("after the second rollback version 1 answers otherwise")
	}
	out, failed = execute(t, p, "forward", 8, `{"activate":3}`)
	if got := out.Embeddings.Index; failed != nil || got.Status != "activated" || got.Version != 3 {
		t.Errorf("activating version 3, which was rolled back: %+v, %v", out, failed)
	}
	if answer := ask(t, p, visit(105))[0]; !sameList(answer.Recommended, third.nearest(105)) {
		t.Errorf("activated again, version 3 answers %+v, want %v", answer, third.nearest(105))
	}
	_, failed = execute(t, p, "dropped", 9, `{"activate":2}`)
	wantFailure(t, failed, "InvalidInput", "version 2 is not kept")
}

// activates hands files over and wants them to be this version.
func activates(t *testing.T, p *Platform, run string, n int, files fstest.MapFS, version int64) {
	t.Helper()
	upload(t, p, files)
	out, failed := execute(t, p, run, n, embeddings)
	if got := out.Embeddings.Index; failed != nil || got.Status != "activated" || got.Version != version {
		t.Fatalf("%s: %+v, %v; want version %d", run, out, failed, version)
	}
}

// listsOf are the lists of each record's answer, as text, all by the model of one version.
func listsOf(t *testing.T, p *Platform, version int64, records []string) []string {
	t.Helper()
	before := p.Mapping.Stats()
	events := put(t, p, records...)
	settled(t, p, before, len(events))
	var lists []string
	for _, l := range delivered(t, p, events) {
		if l.Recommendation.ModelVersion != version || l.Recommendation.Strategy != "model" || len(l.Recommended) != 5 {
			t.Errorf("answered with %+v, want 5 items by the model of version %d", l.Answer, version)
		}
		lists = append(lists, l.lists())
	}
	if len(lists) != len(records) {
		t.Fatalf("%d answers to %d records", len(lists), len(records))
	}
	return lists
}

// otherModel flips the sign of every weight of a state dict: as well-formed, and of another opinion.
func otherModel(t *testing.T, model []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(model), int64(len(model)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, file := range in.File {
		content, err := in.Open(file.Name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file.Name, "/data/") {
			for i := 3; i < len(data); i += 4 { // the sign is the highest bit of a little-endian float32
				data[i] ^= 0x80
			}
		}
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: file.Name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A version of 32 dimensions is followed by one of 64, and that by a rollback, under a load that never pauses. Carts
// change the trends all the time. No record is lost, and each is answered wholly by the one version or wholly by the
// other.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) { c.SourceSQL = []string{looseShop(t, called("narrow"), called("wide"))} })
	versions := map[int64]handOver{1: newHandOver("narrow", 32, 1), 2: newHandOver("wide", 64, 2)}
	activates(t, p, "narrow", 0, versions[1].files, 1)
	before := p.Mapping.Stats()
	stop := load(t, p, shoppers...)
	upload(t, p, versions[2].files)
	answeredMore(t, p, 200)
	if out, failed := execute(t, p, "wide", 1, `{}`); failed != nil || out.Embeddings.Index.Version != 2 {
		t.Errorf("the swap: %+v, %v", out, failed)
	}
	answeredMore(t, p, 200)
	if out, failed := execute(t, p, "back", 2, rollback); failed != nil || out.Embeddings.Index.Version != 1 {
		t.Errorf("the rollback: %+v, %v", out, failed)
	}
	answeredMore(t, p, 200)
	events, err := stop()
	if err != nil {
		t.Fatal(err)
	}
	settled(t, p, before, len(events))
	wantCalm(t, p, before)

	lines := delivered(t, p, events)
	if !slices.Equal(withoutRepeats(eventsOf(lines)), events) {
		t.Errorf("%d answers to %d records, or in another order", len(lines), len(events))
	}
	var order []int64
	trending := 0
	for _, l := range lines {
		version := l.Recommendation.ModelVersion
		if l.Member("customer_number") == "" {
			if !ofPrefix(l, map[int64]string{1: "narrow-", 2: "wide-"}[version]) {
				t.Fatalf("a shopper is answered with %s by version %d", l.lists(), version)
			}
			trending += map[bool]int{true: 1}[l.Recommendation.Strategy == "trending"]
			continue
		}
		customer, err := strconv.ParseInt(l.Member("customer_number"), 10, 64)
		if err != nil || !sameList(l.Recommended, versions[version].nearest(customer)) {
			t.Fatalf("answered with %+v, want %v", l.Answer, versions[version].nearest(customer))
		}
		if len(order) == 0 || order[len(order)-1] != version {
			order = append(order, version)
		}
	}
	if !slices.Equal(order, []int64{1, 2, 1}) {
		t.Errorf("versions answered in the order %v", order)
	}
	if trending == 0 {
		t.Error("nothing has trended")
	}
	wantNoErrorsLogged(t, p)
	t.Logf("%d records, %d by the trends", len(events), trending)
}

// shoppers are visitors who nobody knows, with items of two versions in their carts, and one with nothing.
var shoppers = []string{
	`{"session_id":"a","browse_history":[{"product_code":"narrow-03","in_shopping_cart":true},{"product_code":"wide-03","in_shopping_cart":true}]}`,
	`{"session_id":"b","browse_history":[{"product_code":"wide-07","in_shopping_cart":true},{"product_code":"narrow-09","in_shopping_cart":true}]}`,
	`{"session_id":"c"}`,
}

// ofPrefix tells whether a full list holds items of one hand-over alone.
func ofPrefix(l line, prefix string) bool {
	for _, item := range l.Recommended {
		// The ratings of the shop's customers belong to no version.
		if !strings.HasPrefix(item.ID, prefix) && !strings.HasPrefix(item.ID, "P") {
			return false
		}
	}
	return len(l.Recommended) == 5
}

// load puts records on the stream, ten at a time and these others, until it is stopped. It then returns their events.
func load(t *testing.T, p *Platform, others ...string) (stop func() (events []string, err error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	var events []string
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for records := visits(looseCustomers); ; records = append(records[10:], records[:10]...) {
			put, err := p.PutRecords(t.Context(), strings.NewReader(strings.Join(append(slices.Clone(records[:10]), others...), "\n")))
			events = append(events, put...)
			if failed = err; err != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() ([]string, error) {
		cancel()
		<-done
		return events, failed
	}
}

// answeredMore waits until so many more records are done.
func answeredMore(t *testing.T, p *Platform, records int) {
	t.Helper()
	settled(t, p, p.Mapping.Stats(), records)
}

// wantNoErrorsLogged reads the log of recommend.
func wantNoErrorsLogged(t *testing.T, p *Platform) {
	t.Helper()
	file, err := os.Open(p.path("lambda", "logs", recommend+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	entries := 0
	for lines := json.NewDecoder(file); ; entries++ {
		var entry struct{ Level, Msg, Error string }
		if err := lines.Decode(&entry); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if entry.Level == "ERROR" {
			t.Errorf("logged: %+v", entry)
		}
	}
	if entries == 0 {
		t.Error("nothing was logged")
	}
}
