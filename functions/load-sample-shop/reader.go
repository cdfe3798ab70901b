package main

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"

	"recsys/shared/shop/source"
)

// Reader is the user that the pipeline connects as.
type Reader struct {
	Name string // 1 to 32 letters, digits or '_'
	// Plugin and As are how the server knows the user: on RDS "AWSAuthenticationPlugin" as "RDS",
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
	Plugin, As string
}

var userName = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)

// create makes the user, or brings one of that name to the same state, with the right to read the columns that the
// pipeline reads: no names, no addresses.
func (r Reader) create(ctx context.Context, conn *sql.Conn, database string) error {
	if !userName.MatchString(r.Name) {
		return fmt.Errorf("creating the reader %q: want 1 to 32 letters, digits or '_'", r.Name)
	}
	user := "'" + r.Name + "'@'%'"
	identified := " IDENTIFIED WITH " + r.Plugin + " AS '" + r.As + "' REQUIRE SSL"
	statements := []string{"CREATE USER IF NOT EXISTS " + user + identified, "ALTER USER " + user + identified}
	for _, column := range source.Wanted() {
		statements = append(statements, "GRANT SELECT ("+column.Name+") ON "+database+"."+column.Table+" TO "+user)
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("creating the reader %s: %w", r.Name, err)
		}
	}
	return nil
}
