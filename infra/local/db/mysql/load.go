package mysql

import (
	"context"
	"fmt"
	"io"

	"recsys/shared/shop/sqlfile"
)

// LoadSQL runs the statements of a file such as mysqldump writes, see sqlfile.Load. It begins in the database of
// DSN, if that names one.
func (s *Server) LoadSQL(ctx context.Context, r io.Reader) (database string, err error) {
	db, err := s.open()
	if err != nil {
		return "", err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return "", fmt.Errorf("loading SQL: %w", err)
	}
	defer conn.Close()
	return sqlfile.Load(ctx, conn, r)
}
