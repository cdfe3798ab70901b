package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/postgres/postgrestest"
)

func TestServer(t *testing.T) {
	begin := time.Now()
	server := postgrestest.ForTest(t)
	t.Log(time.Since(begin))
	url, err := server.NewDatabase(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(url, time.Since(begin))
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE EXTENSION vector; CREATE ROLE reader LOGIN"); err != nil {
		t.Fatal(err)
	}
	var d float64
	if err := conn.QueryRow(t.Context(), "select '[1,2]'::vector <-> '[1,3]'").Scan(&d); err != nil {
		t.Fatal(err)
	}
	t.Log(d)
}
