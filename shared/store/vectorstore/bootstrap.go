package vectorstore

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
)

//go:embed bootstrap.sql
var bootstrapSQL string

// bootstrapFor returns the bootstrap for these metrics.
func bootstrapFor(metrics []string) string {
	return strings.NewReplacer(
		"{metrics}", "'"+strings.Join(metrics, "', '")+"'", "{training}", lake.TrainingKey,
	).Replace(bootstrapSQL)
}

// Bootstrap creates extension, schema, roles and the list of versions, in one transaction. It may be run again at any
// time. Connect as the owner of the database with CREATEROLE. A superuser is not needed.
func Bootstrap(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return Wrap("beginning the bootstrap of the vector database", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	// No arguments: the simple protocol takes the whole file at once.
	if _, err := conn.PgConn().Exec(ctx, bootstrapFor(distance.Names())).ReadAll(); err != nil {
		return Wrap(fmt.Sprintf("bootstrapping the vector database as %s", conn.Config().User), err)
	}
	return Wrap("committing the bootstrap of the vector database", tx.Commit(ctx))
}
