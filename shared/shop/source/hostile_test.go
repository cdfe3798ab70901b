package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/shop/shopfile"
)

// A query that would write, lock or break out of its parentheses is a SchemaMismatch, by the file's reader or by the
// server. It leaves nothing behind, and no attempt repeats it.
func hostileQueriesChangeNothing(t *testing.T, server *mysql.Server) {
	outside := filepath.Join(t.TempDir(), "written")
	const right = "SELECT customer_id AS customer, product_id AS product FROM orders WHERE {{range customer_id}}"
	write := "UNION SELECT 1, 2 INTO OUTFILE '" + outside + "' FROM (SELECT 1 AS a"
	for name, query := range map[string]string{
		"writes a file":                    right + " INTO OUTFILE '" + outside + "'",
		"closes the parenthesis":           right + ") q " + write,
		"closes it in a comment that runs": right + " /*!50000 ) q " + write + " */",
		"closes it in MariaDB's comment":   right + " /*M!50000 ) q " + write + " */",
		"drops after the parenthesis":      right + ") q; DROP TABLE orders; -- ",
		"drops in a comment that runs":     right + " /*! ) q; DROP TABLE orders */",
		"locks the shop's rows":            right + " FOR UPDATE",
		"calls a function that deletes":    strings.Replace(right, "product_id AS", "wipe() AS", 1),
		"writes a variable":                right + " INTO @a, @b",
		"is a DELETE":                      "DELETE FROM orders WHERE {{range customer_id}}",
		"is a DELETE after WITH":           "WITH a AS (SELECT 1) DELETE FROM orders WHERE {{range customer_id}}",
		"leaves a quote open":              right + " AND note <> 'x",
		"leaves a comment open":            strings.Replace(right, "WHERE", "/* WHERE", 1),
		"leaves a name open":               right + " AND `note",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, db := shopOf(t, server, plainShop, "CREATE TABLE orders (customer_id INT, product_id INT, note TEXT, KEY (customer_id))",
				"INSERT INTO orders VALUES (1, 1, ''), (2, 2, '')",
				"CREATE FUNCTION wipe() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN DELETE FROM orders; RETURN 1; END")
			var database string
			if err := db.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&database); err != nil {
				t.Fatal(err)
			}
			err := survey(t, server.DSNOf(database), query)
			if !errors.Is(err, failure.SchemaMismatch) {
				t.Errorf("got %v", err)
			}
			var orders int
			if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders").Scan(&orders); err != nil || orders != 2 {
				t.Errorf("%d orders are left, %v", orders, err)
			}
			if _, err := os.Stat(outside); err == nil {
				t.Error("a file was written")
			}
		})
	}
}

// survey reads a shop file with one query, and surveys the database with it.
func survey(t *testing.T, dsn, query string) error {
	t.Helper()
	shop, err := shopfile.Parse(fmt.Appendf(nil, "interactions: {bought: {type: purchase, query: %q}}", query), "shop.yaml")
	if err != nil {
		return err
	}
	database, err := Open(t.Context(), settings.Source{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	_, err = database.Survey(t.Context(), shop, func(*string, int64) {})
	return err
}

// A query that never ends stops with the connection's time, and does not keep the step.
func aQueryThatSleepsStops(t *testing.T, server *mysql.Server) {
	dsn, err := server.NewDatabase(t.Context(), fmt.Sprint("shop", databases.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	err = survey(t, dsn+"?readTimeout=500ms", "SELECT o.k AS customer, 1 AS product FROM (SELECT 1 AS k) o WHERE SLEEP(1000) = 0 AND {{range o.k}}")
	if !errors.Is(err, failure.SourceUnavailable) {
		t.Errorf("got %v", err)
	}
}
