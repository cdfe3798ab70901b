package mysql

import (
	"path/filepath"
	"strconv"
)

func (s *Server) arguments(port int) []string {
	arguments := []string{
		"--datadir=" + s.Data(), "--tmpdir=" + s.tmp(), "--port=" + strconv.Itoa(port), "--bind-address=127.0.0.1",
		// A path of a socket is limited to 107 bytes, and nobody needs one.
		"--socket=", "--pid-file=" + filepath.Join(s.Data(), "server.pid"), "--init-file=" + s.initFile(),
		"--character-set-server=utf8mb4", "--max-connections=200", "--max-allowed-packet=64M",
		"--innodb-buffer-pool-size=256M", "--skip-log-bin",
		// Each commit is written to the log and not flushed: a killed server keeps all it committed.
		"--innodb-flush-log-at-trx-commit=2",
		// A dump is a stranger's program: it reads no files of the client, and its events never run.
		"--local-infile=OFF", "--event-scheduler=OFF",
		// Dumps of older servers hold row formats and foreign keys that a strict server refuses.
		"--innodb-strict-mode=OFF",
	}
	arguments = append(arguments, s.engineArguments()...)
	arguments = append(arguments, s.secured...)
	if s.Disposable {
		return append(arguments, "--innodb-flush-method=nosync")
	}
	return arguments
}

// engineArguments are the settings that only one engine has. MySQL of a host may be older, hence "loose".
func (s *Server) engineArguments() []string {
	if s.programs.engine == MariaDB {
		// MariaDB cannot forbid files altogether: this folder is empty and only the server can enter it. Without
		// symbolic links no table lies elsewhere.
		return []string{"--secure-file-priv=" + s.files(), "--skip-symbolic-links"}
	}
	return []string{
		"--secure-file-priv=NULL", "--loose-mysqlx=OFF", "--loose-innodb-redo-log-capacity=64M",
		"--loose-restrict-fk-on-non-standard-key=OFF",
		// Its tables take half the memory and most of the time of a start.
		"--performance-schema=OFF",
	}
}
