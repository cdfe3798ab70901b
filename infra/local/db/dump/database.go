package dump

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// Database returns the database that holds the shop: the one that was asked for, or else the only one with the
// needed tables. It is a MissingError if some of these could not be loaded.
func (l *Loader) Database(ctx context.Context, asked string, needed []string) (string, error) {
	tables, err := l.tablesByDatabase(ctx)
	if err != nil {
		return "", err
	}
	if len(tables) == 0 && len(l.problems) > 0 {
		return "", MissingError(l.problems[:min(len(l.problems), 5)])
	}
	chosen, err := choose(tables, asked, needed)
	if err != nil {
		return "", err
	}
	var missing MissingError
	for _, p := range l.problems {
		if p.loses(chosen, needed) {
			missing = append(missing, p)
		}
	}
	if missing != nil {
		return "", missing
	}
	return chosen, nil
}

// loses reports whether rows of a needed table are missing. A table without its foreign keys has its rows.
func (p Problem) loses(database string, needed []string) bool {
	s := p.Subject
	if s.verb == "ALTER" && slices.Contains(ofForeignKeys, number(p.Err)) {
		return false
	}
	return s.holdsRows() && strings.EqualFold(s.database, database) && containsFold(needed, s.name)
}

// tablesByDatabase returns the tables and views of each database that has any.
func (l *Loader) tablesByDatabase(ctx context.Context) (map[string][]string, error) {
	db, err := sql.Open("mysql", l.login.FormatDSN())
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	defer db.Close()
	// The loader sees the databases of the dumps.
	rows, err := db.QueryContext(ctx, "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'performance_schema')")
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	defer rows.Close()
	tables := map[string][]string{}
	for rows.Next() {
		var database, table string
		if err := rows.Scan(&database, &table); err != nil {
			return nil, fmt.Errorf("listing the tables: %w", err)
		}
		tables[database] = append(tables[database], table)
	}
	return tables, rows.Err()
}

// choose takes the only database with most of the needed tables, or the only one that there is.
func choose(tables map[string][]string, asked string, needed []string) (string, error) {
	var names, best []string
	most := -1
	for database, there := range tables {
		names = append(names, database)
		have := 0
		for _, table := range needed {
			if containsFold(there, table) {
				have++
			}
		}
		if have > most {
			most, best = have, nil
		}
		if have == most {
			best = append(best, database)
		}
	}
	slices.Sort(names)
	slices.Sort(best)
	switch {
	case len(names) == 0:
		return "", fmt.Errorf("the dump holds no table")
	case asked != "" && !slices.Contains(names, asked):
		return "", fmt.Errorf("the dump holds no database %q, only %s: correct --source-database", asked, strings.Join(names, ", "))
	case asked != "":
		return asked, nil
	case len(best) > 1:
		return "", fmt.Errorf("the dump holds %d databases that may be the shop (%s): say which with --source-database", len(best), strings.Join(best, ", "))
	}
	return best[0], nil
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(other string) bool { return strings.EqualFold(other, name) })
}
