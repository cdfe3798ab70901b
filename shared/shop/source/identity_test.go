package source

import (
	"testing"

	"recsys/shared/contract/settings"
)

func TestIdentity(t *testing.T) {
	identity := func(s settings.Source) string {
		t.Helper()
		id, err := Identity(s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	shop := identity(settings.Source{DSN: "reader:secret@tcp(db.example:3306)/shop"})
	for dsn, same := range map[string]bool{
		"other:another@tcp(db.example:3306)/shop?tls=true": true,
		"reader:secret@tcp(db.example:3307)/shop":          false,
		"reader:secret@tcp(db.example:3306)/shop2":         false,
		"reader:secret@tcp(db2.example:3306)/shop":         false,
	} {
		if got := identity(settings.Source{DSN: dsn}) == shop; got != same {
			t.Errorf("%s is the same source: %v", dsn, got)
		}
	}
	first := identity(settings.Source{DSN: "root@tcp(127.0.0.1:4000)/shop", Identity: "dump 1"})
	if first != identity(settings.Source{DSN: "root@tcp(127.0.0.1:5000)/shop", Identity: "dump 1"}) {
		t.Error("another port makes the same dump another source")
	}
	if first == identity(settings.Source{DSN: "root@tcp(127.0.0.1:4000)/shop", Identity: "dump 2"}) {
		t.Error("two dumps are one source")
	}
	if _, err := Identity(settings.Source{DSN: "secret@nowhere"}); err == nil {
		t.Error("a DSN that cannot be read has an identity")
	}
}
