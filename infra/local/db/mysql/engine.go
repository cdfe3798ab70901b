package mysql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"recsys/infra/local/db/provision"
)

// Engine is one of the two servers that speak MySQL's protocol.
type Engine string

const (
	// MySQL is production's engine, and the default.
	MySQL Engine = "mysql"
	// MariaDB starts faster and reads MariaDB's own dumps.
	MariaDB Engine = "mariadb"
)

// ParseEngine returns the engine of that name. No name is no engine.
func ParseEngine(name string) (Engine, error) {
	switch engine := Engine(name); engine {
	case "", MySQL, MariaDB:
		return engine, nil
	}
	return "", fmt.Errorf("there is no engine %q: choose %s or %s", name, MySQL, MariaDB)
}

// String returns the name as people write it.
func (e Engine) String() string {
	if e == MariaDB {
		return "MariaDB"
	}
	return "MySQL"
}

// Obtainable returns the engine itself, or MariaDB if MySQL cannot be had on this machine, which it says in one line.
func Obtainable(ctx context.Context, cache *provision.Cache, engine Engine) (Engine, error) {
	_, err := findPrograms(ctx, cache, engine)
	if engine == MySQL && errors.As(err, new(provision.Unavailable)) {
		cache.Progress("%v. MariaDB is taken instead", err)
		return MariaDB, nil
	}
	return engine, err
}

// EngineOf returns the engine that made the data directory of a folder, or none if the folder holds no data.
func EngineOf(dir string) Engine {
	for engine, file := range map[Engine]string{MySQL: "mysql.ibd", MariaDB: "aria_log_control"} {
		if _, err := os.Stat(filepath.Join(dataIn(dir), file)); err == nil {
			return engine
		}
	}
	return ""
}

// checkData refuses the data of the other engine, because each would destroy it.
func checkData(dir string, engine Engine) error {
	if made := EngineOf(dir); made != "" && made != engine {
		return fmt.Errorf("%s holds the data of %v, and %v cannot open it: choose --source-engine %s, another folder, or reset", dir, made, engine, string(made))
	}
	return nil
}
