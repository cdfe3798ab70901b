package dump_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recsys/infra/local/db/dump"
	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
)

// needed are the tables without which a load fails.
var needed = []string{"customers", "products", "ratings"}

// target is a server that dumps are loaded into, one after the other.
type target struct{ *mysql.Server }

// load loads files with these texts and returns the database of the shop.
func (s target) load(t *testing.T, asked string, texts ...string) (string, []dump.Problem, error) {
	t.Helper()
	s.empty(t)
	loader, err := dump.NewLoader(t.Context(), s.Server)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		file := filepath.Join(t.TempDir(), "shop.sql")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := loader.Load(t.Context(), file); err != nil {
			return "", loader.Problems(), err
		}
	}
	database, err := loader.Database(t.Context(), asked, needed)
	return database, loader.Problems(), err
}

// mustLoad is load of a dump in which nothing is refused.
func (s target) mustLoad(t *testing.T, texts ...string) string {
	t.Helper()
	database, problems, err := s.load(t, "", texts...)
	if err != nil || len(problems) > 0 {
		t.Fatalf("refused %v, %v", problems, err)
	}
	return database
}

func (s target) empty(t *testing.T) {
	t.Helper()
	databases, err := s.Databases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range databases {
		s.query(t, "", "DROP DATABASE `"+name+"`")
	}
}

// read returns a value as the pipeline's own account reads it.
func (s target) read(t *testing.T, database, query string) (value string) {
	t.Helper()
	dsn, err := s.ReaderDSN(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	return s.query(t, dsn, query)
}

// query returns a value, or nothing without a row, as root without a DSN.
func (s target) query(t *testing.T, dsn, query string) (value string) {
	t.Helper()
	if dsn == "" {
		dsn = s.DSN()
	}
	value, err := ask(t, dsn, query)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func ask(t *testing.T, dsn, query string) (value string, err error) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.QueryRowContext(t.Context(), query).Scan(&value)
	return value, err
}

// shop is the three tables with one row each.
const shop = `CREATE TABLE customers (customerNumber int PRIMARY KEY, city varchar(50));
INSERT INTO customers VALUES (0,'Oslo');
CREATE TABLE products (productCode varchar(15) PRIMARY KEY);
INSERT INTO products VALUES ('a');
CREATE TABLE ratings (customerNumber int, productCode varchar(15), productRating int, PRIMARY KEY (customerNumber, productCode));
INSERT INTO ratings VALUES (0,'a',5);
`

func TestEngines(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, server *mysql.Server) {
		for name, test := range map[string]func(*testing.T, target){
			"dumps of other tools":       dumpsOfOtherTools,
			"every collation":            everyCollation,
			"several files":              severalFiles,
			"system databases":           systemDatabases,
			"the shop's database":        theShopsDatabase,
			"what cannot be loaded":      whatCannotBeLoaded,
			"what the shop needs":        whatTheShopNeeds,
			"no dump":                    noDump,
			"a dump that is cut":         aDumpThatIsCut,
			"a stranger's program":       aStrangersProgram,
			"a stranger's routines":      aStrangersRoutines,
			"published sample databases": publishedSampleDatabases,
		} {
			t.Run(name, func(t *testing.T) { test(t, target{server}) })
		}
	})
}

func dumpsOfOtherTools(t *testing.T, s target) {
	definitions := func(what string) string {
		return "SELECT count(*) FROM information_schema." + what + "s WHERE " + what + "_schema = 'shop'"
	}
	for name, test := range map[string]struct{ dump, query, want string }{
		"a zero is a number": {shop, "SELECT customerNumber FROM customers", "0"},
		"a trigger": {
			shop + "/*!50003 SET @saved_sql_mode = @@sql_mode */ ;\n/*!50003 SET sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER' */ ;\nDELIMITER ;;\n" +
				"/*!50003 CREATE*/ /*!50017 DEFINER=`shop`@`10.0.%`*/ /*!50003 TRIGGER cap BEFORE INSERT ON ratings FOR EACH ROW BEGIN\n-- it's capped\nIF NEW.productRating > 5 THEN SET NEW.productRating = 5; END IF; END */;;\n" +
				"DELIMITER ;\n/*!50003 SET sql_mode = @saved_sql_mode */ ;\nINSERT INTO ratings VALUES (1,'a',9);",
			"SELECT productRating FROM ratings WHERE customerNumber = 1", "5",
		},
		"a view with a foreign definer": {
			shop + "RENAME TABLE ratings TO review;\n/*!50001 CREATE VIEW ratings AS SELECT 1 AS a*/;\n/*!50001 DROP VIEW IF EXISTS ratings*/;\n" +
				"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a b`@`10.0.%` SQL SECURITY DEFINER */\n/*!50001 VIEW ratings AS select * from review */;",
			"SELECT productRating FROM ratings", "5",
		},
		"a view with a definer of bare words": {
			shop + "CREATE DEFINER=view@127.0.0.1 VIEW v AS SELECT productRating FROM ratings;", "SELECT productRating FROM v", "5",
		},
		"a function with a foreign definer": {
			shop + "DELIMITER $$\nCREATE DEFINER='admin'@'%' FUNCTION twice(n int) RETURNS int DETERMINISTIC BEGIN DECLARE d int; SET d = 2 * n; RETURN d; END$$\nDELIMITER ;\n",
			"SELECT twice(productRating) FROM ratings", "10",
		},
		"a procedure": {
			shop + "DELIMITER //\nCREATE DEFINER=CURRENT_USER() PROCEDURE p() BEGIN SELECT 1; SELECT 2; END//\nDELIMITER ;", definitions("routine"), "1",
		},
		"an event": {
			shop + "DELIMITER //\nCREATE DEFINER=root EVENT e ON SCHEDULE EVERY 1 SECOND DO BEGIN DELETE FROM ratings; END//\nDELIMITER ;", definitions("event"), "1",
		},
		"rows that look like DDL": {
			shop + "INSERT INTO products VALUES ('DEFINER=`a`@`b`'); UPDATE products SET productCode = 'utf8mb4_0900_x' WHERE productCode LIKE 'D%';\nCREATE TABLE c (a varchar(40) DEFAULT 'utf8mb4_0900_ai_ci' COMMENT 'DEFINER=a@b');",
			"SELECT concat(max(productCode), (SELECT column_default FROM information_schema.columns WHERE column_name = 'a' AND table_name = 'c')) FROM products WHERE productCode <> 'a'", "",
		},
		"dates of zero, by the dump's own mode": {
			shop + "SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO';\nCREATE TABLE orders (at date NOT NULL DEFAULT '0000-00-00');\nINSERT INTO orders VALUES ('0000-00-00'),('2026-00-00');",
			"SELECT count(*) FROM orders", "2",
		},
		"backslashes by the dump's own mode": {
			shop + "SET SQL_MODE='NO_BACKSLASH_ESCAPES';\nINSERT INTO products VALUES ('c:\\');\nINSERT INTO products VALUES ('d');", "SELECT count(*) FROM products", "3",
		},
		"replication": {
			"SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;\nSET @@SESSION.SQL_LOG_BIN= 0;\nSET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '';\n" + shop, "SELECT count(*) FROM ratings", "1",
		},
		"no commit": {shop + "SET autocommit = 0; INSERT INTO products VALUES ('b');", "SELECT count(*) FROM products", "2"},
		"keys of old servers": {
			shop + "CREATE TABLE old (a int, KEY (a)) ROW_FORMAT=FIXED; CREATE TABLE older (a int, FOREIGN KEY (a) REFERENCES old (a)) ENGINE=InnoDB;", "SELECT count(*) FROM older", "0",
		},
		"a latin1 dump": {
			strings.ReplaceAll(shop, "Oslo", "Troms\xf8"), "SELECT city FROM customers", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text, want := test.dump, test.want
			switch name {
			case "rows that look like DDL":
				want = s.query(t, "", "SELECT 'utf8mb4_0900_xutf8mb4_0900_ai_ci'")
				if s.Engine() == mysql.MariaDB { // which quotes defaults
					want = "utf8mb4_0900_x'utf8mb4_0900_ai_ci'"
				}
			case "a latin1 dump":
				text, want = "/*!40101 SET NAMES latin1 */;\n"+text, "Tromsø"
			}
			database := s.mustLoad(t, text)
			got := ""
			if strings.Contains(test.query, "information_schema") { // where the reader sees little
				got = s.query(t, s.DSNOf(database), test.query)
			} else {
				got = s.read(t, database, test.query)
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func severalFiles(t *testing.T, s target) {
	schema, rows := "CREATE DATABASE two; USE two;\n", ""
	for line := range strings.Lines(shop) {
		if strings.HasPrefix(line, "CREATE") {
			schema += line
		} else {
			rows += line
		}
	}
	if database := s.mustLoad(t, schema, rows); database != "two" || s.read(t, database, "SELECT count(*) FROM ratings") != "1" {
		t.Errorf("the shop is in %s", database)
	}
}

// A dump that was cut between two statements loads without a fault, so only its missing last line tells.
func aDumpThatIsCut(t *testing.T, s target) {
	const begin, end = "-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)\n--\n", "\n-- Dump completed on 2026-11-30 10:00:00\n"
	long := strings.Repeat("INSERT INTO products (productCode) SELECT 'x' FROM products WHERE 1 = 0;\n", 2000)
	for name, c := range map[string]struct {
		text string
		cut  bool
	}{
		"whole":                  {begin + shop + end, false},
		"whole, and more to run": {begin + shop + end + long, false},
		"cut":                    {begin + shop, true},
		"cut, and long":          {begin + shop + long, true},
		"without comments":       {shop, false},
	} {
		s.empty(t)
		loader, err := dump.NewLoader(t.Context(), s.Server)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "shop.sql")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := loader.Load(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		if got := loader.Cut(); len(got) > 0 != c.cut || c.cut && got[0] != "shop.sql" {
			t.Errorf("%s: cut are %q", name, got)
		}
	}
}

func systemDatabases(t *testing.T, s target) {
	before := s.query(t, "", "SELECT count(*) FROM mysql.user")
	text := "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `mysql`;\nUSE `mysql`;\nDROP TABLE IF EXISTS `user`;\nCREATE TABLE `user` (a int);\nINSERT INTO user VALUES (1);\n" +
		"CREATE DATABASE `sys`;\nUSE `sys`;\nSET sql_mode = '';\nCREATE TABLE t (a int);\nCREATE DATABASE real_shop;\nUSE real_shop;\n" + shop +
		"USE mysql;\nDROP TABLE user;\nINSERT INTO mysql.db VALUES (1);\n"
	if database := s.mustLoad(t, text); database != "real_shop" || s.read(t, database, "SELECT count(*) FROM ratings") != "1" {
		t.Errorf("the shop is in %s", database)
	}
	if _, err := s.Account(t.Context(), "other"); err != nil || s.query(t, "", "SELECT count(*) - 1 FROM mysql.user") < before {
		t.Errorf("the server's own tables were changed (%v)", err)
	}
}

func theShopsDatabase(t *testing.T, s target) {
	in := func(database, text string) string {
		return "CREATE DATABASE " + database + "; USE " + database + ";\n" + text
	}
	blog := "CREATE TABLE posts (a int);\n"
	capitals := strings.ReplaceAll(shop, "ratings", "RATINGS")
	for name, test := range map[string]struct{ text, asked, want, fault string }{
		"the one with its tables":   {in("blog", blog) + in("s_h%p", capitals) + in("zoo", blog), "", "s_h%p", ""},
		"the only one":              {in("blog", blog), "", "blog", ""},
		"two":                       {in("live", shop) + in("test", shop), "", "", "databases that may be the shop (live, test): say which with --source-database"},
		"the one that is asked for": {in("live", shop) + in("test", shop), "test", "test", ""},
		"one that is not there":     {in("live", shop), "life", "", `no database "life", only live`},
		"none":                      {"CREATE DATABASE void;", "", "", "holds no table"},
	} {
		if name == "the one with its tables" {
			test.text, test.want = strings.ReplaceAll(test.text, "s_h%p", "s_h"), "s_h"
		}
		got, _, err := s.load(t, test.asked, test.text)
		if got != test.want || (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%s: %q, %v; want %q %s", name, got, err, test.want, test.fault)
		}
	}
}

func whatCannotBeLoaded(t *testing.T, s target) {
	other := "CREATE TABLE tags (name varchar(9) PRIMARY KEY);\nINSERT INTO tags VALUES ('secret');\nINSERT INTO tags\nVALUES ('secret');\nINSERT INTO tags VALUES ('secret');\n" +
		"CREATE TABLE odd (a int) ENGINE=InnoDB COLLATE=utf8mb4_klingon_ci;\nINSERT INTO odd VALUES (1);\nCREATE VIEW broken AS SELECT * FROM odd;\nCREATE TABLE odder (a nonsense);\n" +
		"SET no_such_setting = 1;\nDROP TABLE gone;\nCALL gone();\nCALL gone_too();\n"
	database, problems, err := s.load(t, "", other+shop)
	if err != nil || s.read(t, database, "SELECT count(*) FROM ratings") != "1" {
		t.Fatalf("the shop is in %q: %v", database, err)
	}
	wanted := []string{
		"shop.sql, line 3, table shop.tags: MySQL error 1062 for key 'tags.PRIMARY'; two rows have the same key: remove one, or load the dump on the engine that wrote it (--source-engine) (and 1 more statements about it)",
		"shop.sql, line 6, table shop.odd: MySQL error 1273: Unknown collation: 'utf8mb4_klingon_ci'; load",
		"shop.sql, line 8, view shop.broken: MySQL error 1146",
		"shop.sql, line 9, table shop.odder: MySQL error",
		"shop.sql, line 12, CALL statement: MySQL error 1305",
	}
	if len(problems) != len(wanted) {
		t.Fatalf("%d problems: %v", len(problems), problems)
	}
	if last := problems[len(problems)-1].Error(); !strings.HasSuffix(last, "(and 1 more such statements)") {
		t.Errorf("got %s", last)
	}
	for i, want := range wanted {
		got := problems[i].Error()
		if s.Engine() == mysql.MariaDB {
			want = strings.Replace(want, "tags.PRIMARY", "PRIMARY", 1)
		}
		if !strings.HasPrefix(got, want) || strings.Contains(got, "secret") {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

func whatTheShopNeeds(t *testing.T, s target) {
	for text, want := range map[string]string{
		shop + "INSERT INTO ratings VALUES (0,'a',4);":                                          "line 7, table shop.ratings: MySQL error 1062 for key",
		strings.Replace(shop, "productCode varchar(15) PRIMARY KEY", "productCode nonsense", 1): "line 3, table shop.products",
		shop + "INSERT INTO customers VALUES ('secret','Oslo');":                                "line 7, table shop.customers: MySQL error 1366 for column",
		shop + "DROP TABLE ratings; CREATE VIEW ratings AS SELECT * FROM gone;":                 "line 7, view shop.ratings: MySQL error 1146",
	} {
		_, _, err := s.load(t, "", text)
		if !errors.As(err, new(dump.MissingError)) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// A table without its foreign key has its rows.
	text := shop + "ALTER TABLE ratings ADD CONSTRAINT f FOREIGN KEY (productRating) REFERENCES gone (a);"
	if _, problems, err := s.load(t, "", "SET foreign_key_checks = 1;"+text); err != nil || len(problems) > 1 {
		t.Errorf("a foreign key ended the load: %v, %v", problems, err)
	}
}

func noDump(t *testing.T, s target) {
	for text, want := range map[string]string{
		shop + "SELEC 'secret';":                     "line 7: MySQL error 1064: the server does not know this SQL",
		"<!DOCTYPE html>\n<p>secret</p>":             "line 1: MySQL error 1064",
		shop + "INSERT INTO ratings VALUES ('secret": "the file ends within quotes of the statement that starts on line 7",
		"PK\x03\x04 secret":                          "a zip archive: unpack it first",
	} {
		if _, _, err := s.load(t, "", text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func publishedSampleDatabases(t *testing.T, s target) {
	shared := filepath.Join("..", "..", "..", "..", "..", "shared", "data")
	for name, test := range map[string]struct {
		files   []string
		queries map[string]string
	}{
		"classicmodels": {
			[]string{"classicmodels/mysqlsampledatabase.sql", "classicmodels/ratings.sql"},
			map[string]string{"SELECT count(*) FROM ratings": "2532", "SELECT count(*) FROM orderdetails": "2996", "SELECT count(*) FROM customers": "122"},
		},
		"sakila": {
			[]string{"shops/sakila/sakila-mv-schema.sql", "shops/sakila/sakila-mv-data.sql"},
			map[string]string{
				"SELECT count(*) FROM rental": "16044", "SELECT count(*) FROM customer": "599", "SELECT count(*) FROM customer_list": "599",
				"SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = 'sakila'": "6",
				"SELECT count(*) FROM information_schema.routines WHERE routine_schema = 'sakila'": "6",
				"SELECT count(*) FROM information_schema.views WHERE table_schema = 'sakila'":      "7",
			},
		},
		"Chinook": {
			[]string{"shops/chinook/Chinook_MySql.sql"},
			map[string]string{"SELECT count(*) FROM Track": "3503", "SELECT count(*) FROM InvoiceLine": "2240", "SELECT count(*) FROM Customer": "59"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.empty(t)
			loader, err := dump.NewLoader(t.Context(), s.Server)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range test.files {
				path := filepath.Join(shared, filepath.FromSlash(file))
				if _, err := os.Stat(path); err != nil {
					t.Skip("the published databases do not lie beside the checkout")
				}
				if err := loader.Load(t.Context(), path); err != nil {
					t.Fatal(err)
				}
			}
			database, err := loader.Database(t.Context(), "", needed)
			if err != nil || database != name || len(loader.Problems()) > 0 {
				t.Fatalf("database %q, refused %v: %v", database, loader.Problems(), err)
			}
			for query, want := range test.queries {
				// Only root sees the triggers.
				if got := s.query(t, s.DSNOf(database), query); got != want {
					t.Errorf("%s: %s, want %s", query, got, want)
				}
			}
		})
	}
}
