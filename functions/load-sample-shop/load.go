package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"

	"recsys/shared/shop/sampleshop"
	"recsys/shared/shop/sqlfile"
)

// note is the table that names the shop next to it: the hash of its SQL, or nothing while it is loaded.
const note = "recsys_sample_shop"

// load fills the database unless it holds the same shop, and returns how many ratings it loaded.
func (h Handler) load(ctx context.Context, conn *sql.Conn) (ratings int, err error) {
	want, err := fingerprint(h.Shop)
	if err != nil {
		return 0, err
	}
	have, err := h.noted(ctx, conn)
	if err != nil || have == want {
		return 0, err
	}
	database := h.Shop.Database
	// The note first: a load that is killed is begun anew, and not taken for somebody else's tables.
	for _, statement := range []string{
		"CREATE DATABASE IF NOT EXISTS " + database + " DEFAULT CHARACTER SET utf8mb4",
		"CREATE TABLE IF NOT EXISTS " + database + "." + note + " (one TINYINT PRIMARY KEY, fingerprint CHAR(64) NOT NULL)",
		"REPLACE INTO " + database + "." + note + " VALUES (1, '')",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return 0, fmt.Errorf("beginning to load the sample shop: %w", err)
		}
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(sampleshop.WriteSQL(writer, h.Shop)) }()
	_, err = sqlfile.Load(ctx, conn, reader)
	reader.Close()
	if err != nil {
		return 0, fmt.Errorf("loading the sample shop: %w", err)
	}
	if _, err := conn.ExecContext(ctx, "REPLACE INTO "+database+"."+note+" VALUES (1, '"+want+"')"); err != nil {
		return 0, fmt.Errorf("noting what was loaded: %w", err)
	}
	return h.Shop.Ratings, nil
}

func fingerprint(shop sampleshop.Options) (string, error) {
	hash := sha256.New()
	err := sampleshop.WriteSQL(hash, shop)
	return hex.EncodeToString(hash.Sum(nil)), err
}

// noted reads the note. A database with tables and without a note belongs to somebody else.
func (h Handler) noted(ctx context.Context, conn *sql.Conn) (string, error) {
	var tables, notes int
	err := conn.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(table_name = ?), 0) FROM information_schema.tables WHERE table_schema = ?",
		note, h.Shop.Database).Scan(&tables, &notes)
	if err != nil {
		return "", fmt.Errorf("looking what the database holds: %w", err)
	}
	if tables > 0 && notes == 0 {
		return "", fmt.Errorf("the database %s holds %d tables of somebody else: they stay as they are", h.Shop.Database, tables)
	}
	if notes == 0 {
		return "", nil
	}
	var fingerprint string
	err = conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(fingerprint), '') FROM "+h.Shop.Database+"."+note).Scan(&fingerprint)
	if err != nil {
		return "", fmt.Errorf("reading what was loaded before: %w", err)
	}
	return fingerprint, nil
}
