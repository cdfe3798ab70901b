package dump

import (
	"bytes"
	"fmt"
	"io"
	"regexp"

	"recsys/infra/local/db/mysql"
)

// headerSize is how much of a dump is looked at for the engine that wrote it, in bytes.
const headerSize = 1 << 16

var (
	// serverLine is how mysqldump, phpMyAdmin, HeidiSQL and Navicat name the server that was dumped.
	serverLine = regexp.MustCompile(`(?mi)^[-#/* \t]*(?:source )?server (?:version|type)[ \t]*:?[ \t]*(.*)$`)
	// wroteMariaDB is a comment in which a program names itself or the server by the version.
	wroteMariaDB = regexp.MustCompile(`(?mi)^-- MariaDB dump|^(?:--|#).*\d+\.\d+\.\d+-MariaDB`)
	// onlyMariaDB is SQL that no MySQL writes.
	onlyMariaDB = regexp.MustCompile(`/\*M!|[_ =]uca1400_`)
)

// EngineOf returns the engine that the header of a dump names. A dump without a header is MySQL's.
func EngineOf(name string) (mysql.Engine, error) {
	f, err := Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	header, err := f.text.Peek(headerSize)
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("reading the dump %s: %w", name, err)
	}
	return engineOf(header), nil
}

// engineOf prefers the server's name to the program's, because each engine's mysqldump reads the other's server.
func engineOf(header []byte) mysql.Engine {
	servers := serverLine.FindAll(header, -1)
	for _, line := range servers {
		if bytes.Contains(bytes.ToLower(line), []byte("mariadb")) {
			return mysql.MariaDB
		}
	}
	if len(servers) == 0 && (wroteMariaDB.Match(header) || onlyMariaDB.Match(header)) {
		return mysql.MariaDB
	}
	return mysql.MySQL
}
