package source

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/mysql"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// A view that cannot be read is permanent, with the way out in its text.
func aViewThatCannotBeReadIsPermanent(t *testing.T, server *mysql.Server) {
	for name, test := range map[string]struct {
		view string
		want []string
	}{
		"definer": {"CREATE DEFINER=`gone`@`10.0.%` SQL SECURITY DEFINER VIEW ratings AS SELECT * FROM votes", []string{"1449", "SQL SECURITY INVOKER"}},
		"table":   {"CREATE VIEW ratings AS SELECT v.customerNumber, v.productCode, v.productRating FROM votes v JOIN gone USING (customerNumber)", []string{"1356", "mend the view"}},
	} {
		t.Run(name, func(t *testing.T) {
			database, db := setup(t, server, "RENAME TABLE ratings TO votes", "CREATE TABLE gone (customerNumber INT)")
			if _, err := db.ExecContext(t.Context(), test.view); err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), "DROP TABLE gone"); err != nil {
				t.Fatal(err)
			}
			_, counting := database.Survey(t.Context(), shape.Lab, func(*string, int64) {})
			reading := database.Snapshot(t.Context(), shape.Lab, func(s *Snapshot) error {
				return s.Interactions(t.Context(), workflow.Range{}, func(training.Raw) error { return nil })
			})
			for _, err := range []error{counting, reading} {
				if !errors.Is(err, failure.SchemaMismatch) {
					t.Fatalf("got %v", err)
				}
				for _, want := range test.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%q does not say %q", err, want)
					}
				}
			}
		})
	}
}

func TestWhichErrorsAreTriedAgain(t *testing.T) {
	for _, err := range []error{
		driver.ErrBadConn, &mysqldriver.MySQLError{Number: 1045}, &mysqldriver.MySQLError{Number: 1205}, &mysqldriver.MySQLError{Number: 1040},
		&mysqldriver.MySQLError{Number: 3024},
	} {
		if wrapped := wrap("reading", err); !errors.Is(wrapped, failure.SourceUnavailable) || !errors.Is(wrapped, err) {
			t.Errorf("%v became %v", err, wrapped)
		}
	}
	for number := range permanent {
		err := wrap("reading", fmt.Errorf("a query: %w", &mysqldriver.MySQLError{Number: number}))
		if !errors.Is(err, failure.SchemaMismatch) {
			t.Errorf("%d became %v", number, err)
		}
	}
}
