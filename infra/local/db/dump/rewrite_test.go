package dump

import (
	"testing"

	"recsys/infra/local/db/mysql"
)

func TestStatementsAreRewrittenForTheEngine(t *testing.T) {
	for _, test := range []struct {
		engine    mysql.Engine
		sql, want string
	}{
		{mysql.MySQL, "CREATE DEFINER=`a`@`%` VIEW v AS SELECT 'DEFINER=`a`@`%`'", "CREATE  VIEW v AS SELECT 'DEFINER=`a`@`%`'"},
		{mysql.MySQL, "CREATE /*!50017 DEFINER=`a`@`b`*/ TRIGGER t", "CREATE /*!50017 */ TRIGGER t"},
		{mysql.MySQL, "CREATE DEFINER=CURRENT_USER() EVENT e", "CREATE  EVENT e"},
		{mysql.MySQL, "CREATE DEFINER=a@10.0.% PROCEDURE p()", "CREATE  PROCEDURE p()"},
		{mysql.MySQL, "CREATE TABLE t (a text COMMENT 'DEFINER=a@b')", "CREATE TABLE t (a text COMMENT 'DEFINER=a@b')"},
		{mysql.MySQL, "SET sql_mode = 'ANSI,NO_AUTO_CREATE_USER,NO_ZERO_DATE'", "SET sql_mode = 'ANSI,NO_ZERO_DATE'"},
		{mysql.MariaDB, "SET sql_mode = 'NO_AUTO_CREATE_USER'", "SET sql_mode = 'NO_AUTO_CREATE_USER'"},
		{mysql.MySQL, "CREATE TABLE t (a text) COLLATE=utf8mb4_0900_ai_ci", "CREATE TABLE t (a text) COLLATE=utf8mb4_0900_ai_ci"},
		{mysql.MariaDB, "CREATE TABLE t (a text DEFAULT 'utf8mb4_0900_ai_ci') COLLATE=utf8mb4_0900_ai_ci", "CREATE TABLE t (a text DEFAULT 'utf8mb4_0900_ai_ci') COLLATE=utf8mb4_uca1400_nopad_ai_ci"},
		{mysql.MariaDB, "CREATE TABLE t (a text COLLATE 'utf8mb4_ja_0900_as_cs_ks')", "CREATE TABLE t (a text COLLATE 'utf8mb4_uca1400_nopad_as_cs')"},
		{mysql.MariaDB, "CREATE TABLE t (a text COLLATE utf8mb4_de_pb_0900_ai_ci, b text COLLATE utf8mb4_0900_bin)", "CREATE TABLE t (a text COLLATE utf8mb4_uca1400_german2_nopad_ai_ci, b text COLLATE utf8mb4_nopad_bin)"},
		{mysql.MariaDB, "SET collation_connection = utf8mb4_zh_0900_as_cs", "SET collation_connection = utf8mb4_uca1400_nopad_as_cs"},
		{mysql.MySQL, "CREATE TABLE t (a text) COLLATE=utf8mb4_uca1400_ai_ci", "CREATE TABLE t (a text) COLLATE=utf8mb4_0900_ai_ci"},
		{mysql.MariaDB, "INSERT INTO t VALUES ('COLLATE utf8mb4_0900_bin')", "INSERT INTO t VALUES ('COLLATE utf8mb4_0900_bin')"},
	} {
		if got := string(rewrite([]byte(test.sql), describe([]byte(test.sql)), test.engine)); got != test.want {
			t.Errorf("%v: %s\nbecomes %s\nwant %s", test.engine, test.sql, got, test.want)
		}
	}
}

func TestAStatementNamesItsSubject(t *testing.T) {
	for sql, want := range map[string]string{
		"/*!40000 ALTER TABLE `t` DISABLE KEYS */":                                           "table t",
		"INSERT IGNORE INTO `d`.`a``b` VALUES (1)":                                           "table d.a`b",
		"CREATE UNIQUE INDEX i ON t (a)":                                                     "table t",
		"CREATE TABLE IF NOT EXISTS t (a int)":                                               "table t",
		"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `d` /*!40100 DEFAULT */":                   "database d",
		"/*!50003 CREATE*/ /*!50017 DEFINER=`view`@`%`*/ /*!50003 TRIGGER c BEFORE":          "trigger c",
		"/*!50001 CREATE ALGORITHM=MERGE *//*!50013 DEFINER=`a`@`b` */ /*!50001 VIEW `v` AS": "view v",
		"LOCK TABLES `t` WRITE":                                                              "table t",
		"use d":                                                                              "database d",
		"CALL p()":                                                                           "CALL statement",
		"SET @a = 1":                                                                         "SET statement",
	} {
		if got := describe([]byte(sql)).String(); got != want {
			t.Errorf("%s is about %s, want %s", sql, got, want)
		}
	}
}

// The scanner reads strangers' text: it must end, and yield tokens that lie in the statement and in order.
func FuzzScan(f *testing.F) {
	f.Add("CREATE /*!50017 DEFINER=`a`@'b\\'*/ TRIGGER t 'x''y'")
	f.Fuzz(func(t *testing.T, sql string) {
		end := 0
		for token := range scan([]byte(sql)) {
			if token.start < end || token.end <= token.start || token.end > len(sql) {
				t.Fatalf("%q: token %+v behind %d", sql, token, end)
			}
			end = token.end
		}
		for _, engine := range []mysql.Engine{mysql.MySQL, mysql.MariaDB} {
			rewrite([]byte(sql), describe([]byte(sql)), engine)
		}
	})
}
