package provision

import (
	"os"
	"testing"
)

func TestRealParts(t *testing.T) {
	cache, err := Open(Config{Progress: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	postgres, err := cache.PostgreSQL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mariadb, err := cache.MariaDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v\n%+v", postgres, mariadb)
	for _, file := range []string{postgres.Base + "/share/postgresql/extension/vector.control", mariadb.Base + "/sbin/mariadbd"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
}
