package mysql

import (
	"fmt"
	"os"
	"path/filepath"

	"recsys/infra/local/db/daemon"
)

// secure writes the statements that the server runs before it lets anybody in (--init-file). They set root's
// password, new with every Server, and delete the accounts that MariaDB makes in addition to root@localhost. The file
// is the server's alone.
func (s *Server) secure() error {
	statements := fmt.Sprintf("ALTER USER 'root'@'localhost' IDENTIFIED BY '%s';\n", s.password)
	if s.programs.engine == MariaDB {
		statements = "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');\nFLUSH PRIVILEGES;\n" + statements
	}
	if err := os.Remove(s.initFile()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing an earlier start's password: %w", err)
	}
	if err := os.WriteFile(s.initFile(), []byte(statements), 0o600); err != nil {
		return fmt.Errorf("giving the server a password: %w", err)
	}
	return daemon.Own(s.initFile())
}

func (s *Server) initFile() string { return filepath.Join(s.Dir, "init.sql") }

// files is the one folder, and an empty one, that MariaDB's statements may read and write files in.
func (s *Server) files() string { return filepath.Join(s.Dir, "files") }
