package platform

import (
	"strings"
	"testing"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/sample"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// The functions themselves, as they are deployed: every one that connects to a database believes in it by its
// authority, and asks nothing of a server of another.
func TestFunctionsVerifyTheirDatabases(t *testing.T) {
	t.Parallel()
	ours, err := authority.New("ours")
	if err != nil {
		t.Fatal(err)
	}
	other, err := authority.New("another")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ours.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	sourceCA, storeCA := ours.PEM(), ours.PEM()
	p := startPlatform(t, func(c *Config) {
		c.Certificate = certificate
		c.Resources = func(r *workflow.Resources) {
			r.Source.DSN, r.Source.CA = r.Source.DSN+"?tls=true", sourceCA
			for _, store := range []*settings.VectorStore{&r.Loader, &r.Reader} {
				store.URL, store.CA = strings.Replace(store.URL, "sslmode=disable", "sslmode=verify-full", 1), storeCA
			}
		}
	})
	upload(t, p, sample.Artifacts())
	if _, failed := execute(t, p, "trusted", 0, `{}`); failed != nil {
		t.Fatal(failed)
	}
	checkStream(t, p, sample.Sessions(), 100)
	var encrypted bool
	inVectorStore(t, p, `select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid)
		where application_name in ('embedding-upload', 'vector-index', 'recommend')`, &encrypted)
	if !encrypted {
		t.Error("a function is connected without TLS")
	}

	for name, test := range map[string]struct {
		source, store *authority.Authority
		input, err    string
	}{
		"source":       {other, ours, `{"stages":"training-data"}`, "SourceUnavailable"},
		"vector store": {ours, other, `{"stages":"embeddings"}`, "VectorStoreUnavailable"},
	} {
		sourceCA, storeCA = test.source.PEM(), test.store.PEM()
		if err := p.Register(); err != nil {
			t.Fatal(err)
		}
		_, failed := execute(t, p, "another-"+strings.ReplaceAll(name, " ", "-"), 1, test.input)
		if failed == nil || failed.Name != test.err || !strings.Contains(failed.Cause, "certificate signed by unknown authority") {
			t.Errorf("the %s of another authority: %v", name, failed)
		}
	}
}
