package mysql_test

import (
	"strings"
	"testing"

	"recsys/infra/local/mysql/mysqltest"
)

// What mysqldump of MySQL 8 writes by default, and MariaDB refuses as it stands.
func TestADumpOfMySQL8Loads(t *testing.T) {
	server := mysqltest.ForTest(t)
	const dump = `-- MySQL dump 10.13  Distrib 8.0.36
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;
--
-- GTID state at the beginning of the backup
--
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '';
CREATE DATABASE /*!32312 IF NOT EXISTS*/ eight /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */;
USE eight;
CREATE TABLE notes (id int NOT NULL, text varchar(50) COLLATE utf8mb4_0900_as_cs NOT NULL, PRIMARY KEY (id))
  ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
INSERT INTO notes VALUES (1,'of utf8mb4_0900_ai_ci');
SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;
`
	loaded, err := server.LoadSQL(t.Context(), strings.NewReader(dump), nil)
	if err != nil || loaded.Database != "eight" {
		t.Fatalf("loaded %+v, %v", loaded, err)
	}
	// A row keeps what it says; the load fails where it does not.
	const check = "CREATE TABLE eight.same (text varchar(50) CHECK (text = 'of utf8mb4_0900_ai_ci'));\nINSERT INTO eight.same SELECT text FROM eight.notes;"
	if _, err := server.LoadSQL(t.Context(), strings.NewReader(strings.Replace(check, "'of utf8mb4_0900_ai_ci'", "concat('of utf8mb4_09', '00_ai_ci')", 1)), nil); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsNoSQLSaysWhatToLookAt(t *testing.T) {
	server := mysqltest.ForTest(t)
	_, err := server.LoadSQL(t.Context(), strings.NewReader("\x1f\x8b\x08 not SQL;"), nil)
	if err == nil || !strings.Contains(err.Error(), "whole and not compressed?") {
		t.Errorf("got %v", err)
	}
}
