package platform

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/db/postgres"
	"recsys/shared/store/vectorstore"
)

// stored are the folders of a state directory that executions write to, beside the vector database.
var stored = []string{"s3", "glue"}

// save keeps the state that executions write, under a name. restore goes back to it. Nothing may be connected.
func save(tb testing.TB, p *Platform, name string) {
	tb.Helper()
	for _, folder := range stored {
		link(tb, p.path(folder), p.path("saved", name, folder))
	}
	copyDatabase(tb, p, VectorDatabase, "saved_"+name)
}

func restore(tb testing.TB, p *Platform, name string) {
	tb.Helper()
	for _, folder := range stored {
		entries, err := os.ReadDir(p.path(folder))
		if err != nil {
			tb.Fatal(err)
		}
		for _, entry := range entries {
			if entry.Name() == ".staging" {
				continue // the S3 server's own
			}
			if err := os.RemoveAll(p.path(folder, entry.Name())); err != nil {
				tb.Fatal(err)
			}
		}
		link(tb, p.path("saved", name, folder), p.path(folder))
	}
	copyDatabase(tb, p, "saved_"+name, VectorDatabase)
}

// link gives a tree a second name, file by file: the servers replace files and never write into them.
func link(tb testing.TB, from, to string) {
	tb.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		return os.Link(path, filepath.Join(to, name))
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func copyDatabase(tb testing.TB, p *Platform, from, to string) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), p.Postgres.URL())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(tb.Context()))
	var owner string
	err = conn.QueryRow(tb.Context(), `select pg_get_userbyid(datdba) from pg_database where datname = $1`, from).Scan(&owner)
	if err != nil {
		tb.Fatal(err)
	}
	source, target := pgx.Identifier{from}.Sanitize(), pgx.Identifier{to}.Sanitize()
	for _, statement := range []string{
		"drop database if exists " + target + " with (force)",
		"create database " + target + " template " + source + " owner " + owner, // waits for the last sessions to go
	} {
		if _, err := conn.Exec(tb.Context(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}

// digest is all that executions have left: a line for each object, row, table and entry of the catalog, sorted.
func digest(tb testing.TB, p *Platform) []string {
	tb.Helper()
	lines := slices.Concat(objects(tb, p), catalog(tb, p), tables(tb, p))
	slices.Sort(lines)
	return lines
}

// objects are key and sha256 of everything in the lake and of the artifacts.
func objects(tb testing.TB, p *Platform) (lines []string) {
	tb.Helper()
	for _, bucket := range []string{LakeBucket, ArtifactsBucket} {
		err := fs.WalkDir(os.DirFS(p.path("s3", bucket)), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(p.path("s3", bucket, name))
			lines = append(lines, fmt.Sprintf("object %s/%s %x", bucket, name, sha256.Sum256(content)))
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return lines
}

// catalog are the Glue tables, without the times and the number of the last update: a retried step updates again.
func catalog(tb testing.TB, p *Platform) (lines []string) {
	tb.Helper()
	files, err := filepath.Glob(p.path("glue", GlueDatabase, "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var table map[string]any
		if err := json.Unmarshal(content, &table); err != nil {
			tb.Fatal(err)
		}
		for _, ofTheUpdate := range []string{"CreateTime", "UpdateTime", "VersionId"} {
			delete(table, ofTheUpdate)
		}
		line, err := json.Marshal(table) // keys sorted
		if err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("catalog %s %s", filepath.Base(file), line))
	}
	return lines
}

// timesOf are the columns that say when the database's clock saw something: of these only whether they are set.
const timesOf = `{created_at,loaded_at,activated_at,retired_at,dropped_at}`

// tables are definition, grants and rows of all that is in the functions' schema.
func tables(tb testing.TB, p *Platform) (lines []string) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), p.Postgres.URLOf(postgres.Superuser, VectorDatabase))
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(tb.Context()))
	query := func(sql string, args ...any) []string {
		rows, err := conn.Query(tb.Context(), sql, args...)
		if err != nil {
			tb.Fatal(err)
		}
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			tb.Fatal(err)
		}
		return texts
	}
	schema := vectorstore.Schema
	lines = query(`select concat_ws(' ', 'relation', relname, relkind, relowner::regrole, relacl,
		case relkind when 'i' then pg_get_indexdef(oid) when 'v' then pg_get_viewdef(oid) end)
		from pg_class where relnamespace = $1::regnamespace`, schema)
	for _, table := range query(`select relname::text from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'v')`, schema) {
		rows := query(`select (to_jsonb(t) - $1::text[] || coalesce((select jsonb_object_agg(key, value <> 'null')
			from jsonb_each(to_jsonb(t)) where key = any($1::text[])), '{}'))::text
			from `+pgx.Identifier{schema, table}.Sanitize()+` t`, timesOf)
		for _, row := range rows {
			lines = append(lines, "row "+table+" "+row)
		}
	}
	return lines
}

// difference are the lines that only one of two sorted digests has, the first few of them.
func difference(got, want []string) string {
	var lines []string
	add := func(mark string, from, other []string) {
		for _, line := range from {
			if _, found := slices.BinarySearch(other, line); !found {
				lines = append(lines, mark+line[:min(len(line), 300)])
			}
		}
	}
	add("+ ", got, want)
	add("- ", want, got)
	return strings.Join(lines[:min(len(lines), 12)], "\n")
}
