package source

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/store/rds"
)

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	a, err := authority.New("a test's")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A function believes in a server by the authority and by the name, and gives its password to no other.
func TestTLS(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	certificate, err := ours.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	server := mysqltest.WithTLS(t, certificate)
	own, err := mysql.ParseDSN(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(own.Addr)
	root, err := sql.Open("mysql", server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, statement := range []string{
		"CREATE DATABASE shop", "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'secret' REQUIRE SSL", "GRANT SELECT ON shop.* TO reader@'127.0.0.1'",
	} {
		if _, err := root.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		host, ca string
		refused  func(error) bool
	}{
		"our authority":          {"127.0.0.1", ours.PEM(), nil},
		"another authority":      {"127.0.0.1", other.PEM(), isA[x509.UnknownAuthorityError]},
		"the authorities of RDS": {"127.0.0.1", "", isA[x509.UnknownAuthorityError]},
		"another name":           {"localhost", ours.PEM(), isA[x509.HostnameError]},
	} {
		t.Run(name, func(t *testing.T) {
			logins := 0
			login := func(_ context.Context, address, user string) (rds.Credentials, error) {
				logins++
				if address != net.JoinHostPort(test.host, port) || user != "" {
					t.Errorf("asked for the credentials of %q at %s", user, address)
				}
				return rds.Credentials{User: "reader", Password: "secret"}, nil
			}
			config, err := configure(settings.Source{DSN: "tcp(" + test.host + ":" + port + ")/shop?tls=true", CA: test.ca}, login)
			if err != nil {
				t.Fatal(err)
			}
			connector, err := mysql.NewConnector(config)
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close()
			db.SetMaxIdleConns(-1)
			for range 2 {
				var setting, cipher string
				err = db.QueryRowContext(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'").Scan(&setting, &cipher)
				if test.refused == nil && (err != nil || cipher == "") {
					t.Errorf("cipher %q, %v", cipher, err)
				}
				if test.refused != nil && (err == nil || !test.refused(err)) {
					t.Errorf("got %v", err)
				}
			}
			if logins != 2 {
				t.Errorf("%d logins for 2 connections", logins)
			}
		})
	}
}

func isA[E error](err error) bool { return errors.As(err, new(E)) }

func TestCredentialsWantAVerifiedServer(t *testing.T) {
	for _, tls := range []string{"", "?tls=false", "?tls=skip-verify", "?tls=preferred"} {
		_, err := Open(t.Context(), settings.Source{DSN: "reader@tcp(127.0.0.1:1)/shop" + tls, IAM: true})
		if !errors.Is(err, failure.InvalidInput) || !strings.Contains(err.Error(), "tls=true") {
			t.Errorf("%q: %v", tls, err)
		}
	}
	config, err := Configure(t.Context(), settings.Source{DSN: "reader@tcp(127.0.0.1:1)/shop?tls=true", IAM: true})
	if err != nil || !config.AllowCleartextPasswords {
		t.Errorf("RDS takes tokens in the clear: %v", err)
	}
}
