package source

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"recsys/shared/contract/failure"
)

// largeTable is the number of rows from which a table is not read in full for every range without a warning.
const largeTable = 10_000

// warnings has the server explain a narrow range of each query. A large table that is read in full for it lacks an index.
func (s *Snapshot) warnings(ctx context.Context, seen neighbours) ([]string, error) {
	compared := s.tables.interactions.compared
	var said []string
	if compared.bytewise {
		said = append(said, "the customers' keys have different collations in the shop's queries: they are compared byte by byte, which no index helps. Give the columns one collation")
	}
	ranges := seen.narrow(compared)
	if len(ranges) == 0 {
		return said, nil
	}
	for _, p := range s.queries.ranged() {
		condition, err := compared.within(p.Key, ranges[0].span)
		if err != nil {
			return said, err
		}
		scans, err := s.explain(ctx, p, "SELECT * FROM "+p.where(condition))
		if failure.IsPermanent(err) { // views need a right of their own, and not every statement can be explained
			said = append(said, fmt.Sprintf("%s: the server does not explain it, so a missing index would not show: %v", p.place, err))
			continue
		}
		if err != nil {
			return said, err
		}
		said = append(said, scans...)
	}
	return said, nil
}

// explain returns a warning for each large table that the statement reads in full.
func (s *Snapshot) explain(ctx context.Context, p prepared, statement string) (said []string, err error) {
	var scanned []plannedScan
	rows, err := s.connection.QueryContext(ctx, "EXPLAIN FORMAT=TRADITIONAL "+statement)
	if err != nil {
		return nil, wrap("explaining", err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, wrap("explaining", err)
	}
	for rows.Next() {
		scan, err := readScan(rows, columns)
		if err != nil {
			return nil, wrap("explaining", err)
		}
		if (scan.access == "ALL" || scan.access == "index") && scan.rows >= largeTable {
			scanned = append(scanned, scan)
		}
	}
	if err := rows.Err(); err != nil || len(scanned) == 0 {
		return nil, wrapIf("explaining", err)
	}
	for _, scan := range scanned {
		said = append(said, scan.warning(p))
	}
	return said, nil
}

func wrapIf(doing string, err error) error {
	if err == nil {
		return nil
	}
	return wrap(doing, err)
}

// plannedScan is a line of EXPLAIN.
type plannedScan struct {
	alias, access string
	rows          int64
}

func readScan(rows *sql.Rows, columns []string) (scan plannedScan, err error) {
	values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return scan, err
	}
	for i, column := range columns {
		switch strings.ToLower(column) {
		case "table":
			scan.alias = values[i].String
		case "type":
			scan.access = values[i].String
		case "rows":
			scan.rows, _ = strconv.ParseInt(values[i].String, 10, 64) // NULL without an estimate
		}
	}
	return scan, nil
}

// tableOf returns the name of the table behind an alias of a query, or the alias.
func tableOf(sql, alias string) string {
	named := regexp.MustCompile(`(?i)(?:FROM|JOIN|,)\s*([\w$.` + "`" + `]+)\s+(?:AS\s+)?` + "`?" + regexp.QuoteMeta(alias) + `\b`).FindStringSubmatch(sql)
	if named == nil {
		return alias
	}
	return strings.ReplaceAll(named[1], "`", "")
}

// warning names the table and the index that is missing.
func (scan plannedScan) warning(p prepared) string {
	remedy := "create an index on the columns that join it or restrict it, unless there is one: with few rows MySQL may prefer the table"
	qualifier, column, qualified := strings.Cut(strings.ReplaceAll(p.Key, "`", ""), ".")
	switch {
	case !qualified:
		remedy = fmt.Sprintf("create an index on its column %s", qualifier)
	case strings.EqualFold(qualifier, scan.alias):
		remedy = fmt.Sprintf("create an index on its column %s", column)
	}
	return fmt.Sprintf("%s: MySQL reads the table %s in full (about %d rows) for each range: %s", p.place, tableOf(p.SQL, scan.alias), scan.rows, remedy)
}
