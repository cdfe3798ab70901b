package vectorstore_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/shared/contract/settings"
	"recsys/shared/store/rds"
	"recsys/shared/store/vectorstore"
)

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	a, err := authority.New("a test's")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// address is the URL of a role, with the host and the sslmode that are asked for.
func address(t *testing.T, from, role, host, mode string) string {
	t.Helper()
	u, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Host, u.RawQuery = url.User(role), host+":"+u.Port(), "sslmode="+mode
	return u.String()
}

// A function believes in a server by the authority and by the name, and otherwise sends nothing.
func TestTLS(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	certificate, err := ours.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	d := setup(t, postgrestest.WithTLS(t, certificate))
	at := func(host, mode string) string { return address(t, d.owner, vectorstore.ReaderRole, host, mode) }
	for name, test := range map[string]struct {
		url, ca string
		refused func(error) bool
	}{
		"our authority":             {at("127.0.0.1", "verify-full"), ours.PEM(), nil},
		"another authority":         {at("127.0.0.1", "verify-full"), other.PEM(), isA[x509.UnknownAuthorityError]},
		"the authorities of RDS":    {at("127.0.0.1", "verify-full"), "", isA[x509.UnknownAuthorityError]},
		"another name":              {at("localhost", "verify-full"), ours.PEM(), isA[x509.HostnameError]},
		"no TLS, as on one machine": {at("127.0.0.1", "disable"), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			pool, err := vectorstore.Connect(t.Context(), vectorstore.Config{VectorStore: settings.VectorStore{URL: test.url, CA: test.ca}})
			d.must(err)
			defer pool.Close()
			var encrypted bool
			err = pool.QueryRow(t.Context(), `select ssl from pg_stat_ssl where pid = pg_backend_pid()`).Scan(&encrypted)
			switch {
			case test.refused == nil && (err != nil || encrypted != strings.Contains(test.url, "verify-full")):
				t.Errorf("encrypted %t, %v", encrypted, err)
			case test.refused != nil && (err == nil || !test.refused(err)):
				t.Errorf("got %v", err)
			}
		})
	}
}

func isA[E error](err error) bool { return errors.As(err, new(E)) }

// Members of rds_iam need a token for each connection: the server here takes one only once.
func TestATokenForEachConnection(t *testing.T) {
	ours := newAuthority(t)
	certificate, err := ours.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	d := setup(t, postgrestest.WithTLS(t, certificate))
	super, err := pgx.Connect(t.Context(), d.server.URLOf("postgres", d.name))
	d.must(err)
	defer super.Close(t.Context())
	if _, err := super.Exec(t.Context(), `create role rds_iam; grant rds_iam to recsys_loader`); err != nil {
		t.Fatal(err)
	}
	calls := 0
	store := settings.VectorStore{URL: address(t, d.owner, vectorstore.LoaderRole, "127.0.0.1", "verify-full"), CA: ours.PEM()}
	login := func(ctx context.Context, address, user string) (rds.Credentials, error) {
		calls++
		token := fmt.Sprintf("token-%d", calls)
		if want, _ := url.Parse(d.owner); address != want.Host || user != vectorstore.LoaderRole {
			t.Errorf("asked for a token for %s at %s", user, address)
		}
		_, err := super.Exec(ctx, `alter role recsys_loader password '`+token+`'`)
		return rds.Credentials{User: user, Password: token}, err
	}
	pool, err := vectorstore.Connect(t.Context(), vectorstore.Config{VectorStore: store, Login: login})
	d.must(err)
	defer pool.Close()
	for range 3 {
		d.must(pool.Ping(t.Context()))
		pool.Reset()
	}
	if calls != 3 {
		t.Errorf("%d tokens for 3 connections", calls)
	}
	wrong := func(context.Context, string, string) (rds.Credentials, error) {
		return rds.Credentials{User: vectorstore.LoaderRole, Password: "token-0"}, nil
	}
	pool, err = vectorstore.Connect(t.Context(), vectorstore.Config{VectorStore: store, Login: wrong})
	d.must(err)
	defer pool.Close()
	if err := pool.Ping(t.Context()); !vectorstore.HasCode(err, "28P01") || strings.Contains(err.Error(), "token-0") {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestCredentialsWantAVerifiedServer(t *testing.T) {
	for _, mode := range []string{"disable", "prefer", "require", "verify-ca"} {
		store := settings.VectorStore{URL: "postgres://recsys_reader@127.0.0.1:1/recsys?sslmode=" + mode, IAM: true}
		if pool, err := vectorstore.Connect(t.Context(), vectorstore.Config{VectorStore: store}); err == nil || !strings.Contains(err.Error(), "verify-full") {
			t.Errorf("sslmode=%s: %v", mode, err)
			pool.Close()
		}
	}
}
