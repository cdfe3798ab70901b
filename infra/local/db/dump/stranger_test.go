package dump_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A dump that wants more than to fill a database gets no further than its own, and the shop is loaded all the same.
func aStrangersProgram(t *testing.T, s target) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	secret, written := filepath.Join(dir, "secret"), filepath.Join(dir, "written")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	wishes := []string{
		"SELECT 1 INTO OUTFILE '" + written + "'",
		"SELECT 1 INTO DUMPFILE '" + written + "'",
		"LOAD DATA INFILE '" + secret + "' INTO TABLE stolen",
		"LOAD DATA LOCAL INFILE '" + secret + "' INTO TABLE stolen",
		"INSERT INTO stolen SELECT load_file('" + secret + "') FROM stolen",
		"SET GLOBAL local_infile = 1",
		"SET GLOBAL event_scheduler = ON",
		"SET GLOBAL general_log_file = '" + written + "'",
		"SET GLOBAL max_connections = 1",
		"SET PASSWORD FOR root@localhost = 'mine'",
		"ALTER USER root@localhost IDENTIFIED BY 'mine'",
		"CREATE USER intruder IDENTIFIED BY 'mine'",
		"GRANT ALL ON *.* TO loader@localhost",
		"UPDATE mysql.user SET User = 'intruder'",
		"INSERT INTO `mysql`.`user` (User) VALUES ('intruder')",
		"DROP DATABASE mysql",
		"INSTALL PLUGIN a SONAME 'a.so'",
		"CREATE FUNCTION f RETURNS INTEGER SONAME 'f.so'",
		"CREATE TABLE linked (a int) DATA DIRECTORY = '" + dir + "'",
		"FLUSH TABLES WITH READ LOCK",
		"KILL 1",
		"SHUTDOWN",
	}
	database, problems, err := s.load(t, "", "CREATE TABLE stolen (a text);\nINSERT INTO stolen VALUES ('');\n"+strings.Join(wishes, ";\n")+";\n"+shop)
	if err != nil || s.read(t, database, "SELECT count(*) FROM ratings") != "1" {
		t.Fatalf("the shop is not loaded: %v", err)
	}
	if len(problems) < 8 {
		t.Errorf("only these were refused: %v", problems)
	}
	if got := s.query(t, s.DSNOf(database), "SELECT coalesce(group_concat(a SEPARATOR ''), '') FROM stolen"); got != "" {
		t.Error("a file was read")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("files were written: %v, %v", left, err)
	}
	if got := s.query(t, "", "SELECT count(*) FROM mysql.user WHERE User = 'intruder'"); got != "0" {
		t.Error("there is a new account")
	}
	for _, setting := range []string{"local_infile", "general_log", "event_scheduler"} {
		if got := s.query(t, "", "SELECT @@GLOBAL."+setting); got != "0" && got != "OFF" && got != "DISABLED" {
			t.Errorf("%s is %s", setting, got)
		}
	}
	// A client's commands are no SQL.
	for _, command := range []string{"\\! touch " + written, "system touch " + written, "source " + secret, "\\. " + secret, "tee " + written, "pager cat > " + written} {
		if _, _, err := s.load(t, "", command+"\n"+shop); err == nil || !strings.Contains(err.Error(), "the server does not know this SQL") {
			t.Errorf("%s gave %v", command, err)
		}
	}
	if _, err := os.Stat(written); err == nil {
		t.Error("a command was run")
	}
}

// A view can call a function that has the rights of its reader, and the reader is the pipeline.
func aStrangersRoutines(t *testing.T, s target) {
	text := shop + "CREATE TABLE traces (a text);\nDELIMITER //\n" +
		"CREATE FUNCTION spy() RETURNS int MODIFIES SQL DATA SQL SECURITY INVOKER BEGIN INSERT INTO traces VALUES (CURRENT_USER()); RETURN 1; END//\nDELIMITER ;\n" +
		"RENAME TABLE ratings TO review;\nCREATE SQL SECURITY INVOKER VIEW ratings AS SELECT customerNumber, productCode, spy() AS productRating FROM review;"
	database := s.mustLoad(t, text)
	dsn, err := s.ReaderDSN(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, dsn, "SELECT productRating FROM ratings"); err == nil {
		t.Errorf("the function ran: %v", err)
	}
	if got := s.query(t, s.DSNOf(database), "SELECT count(*) FROM traces"); got != "0" {
		t.Error("the function wrote as its reader")
	}
}
