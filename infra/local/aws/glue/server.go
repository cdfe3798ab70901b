// Package glue is the local mode's Glue Data Catalog: databases and tables, in which no partition can be registered.
//
// Promise: names, errors and version numbers are AWS's. A change is whole or absent, even if the server is killed.
// Names are lower-cased, as AWS does. A table's description is kept as it came.
//
// Reads and writes: Config.Dir: <database>.json and <database>/<table>.json, for people to read.
//
// Spec: https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html and its neighbours.
package glue

import (
	"context"
	"fmt"
	"os"
	"time"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/awsjson"
	"recsys/infra/local/aws/loopback"
)

// maxRequestBytes is far over any table of the project.
const maxRequestBytes = 4 << 20

// Config of a server.
type Config struct {
	Dir   string           // of the catalog, made when absent
	Addr  string           // default "": loopback, a free port
	Hooks awscall.Hooks    // default none
	Now   func() time.Time // default time.Now
}

// Server is a running catalog.
type Server struct {
	*loopback.Server
	hooks awscall.Point
}

// Start serves the catalog until Close. ctx bounds the start only.
func Start(ctx context.Context, config Config) (*Server, error) {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("starting the local Glue: %w", err)
	}
	catalog := &catalog{dir: config.Dir, now: config.Now}
	if catalog.now == nil {
		catalog.now = time.Now
	}
	server := &Server{}
	server.hooks.Set(config.Hooks)
	var err error
	server.Server, err = loopback.Serve(ctx, config.Addr, &awsjson.Service{
		Name: "glue", Target: "AWSGlue", MaxBytes: maxRequestBytes, Hooks: &server.hooks,
		Operations: map[string]awsjson.Operation{
			"CreateDatabase": awsjson.Do(true, catalog.createDatabase),
			"GetDatabase":    awsjson.Do(false, catalog.getDatabase),
			"GetDatabases":   awsjson.Do(false, catalog.getDatabases),
			"CreateTable":    awsjson.Do(true, catalog.createTable),
			"GetTable":       awsjson.Do(false, catalog.getTable),
			"GetTables":      awsjson.Do(false, catalog.getTables),
			"GetPartitions":  awsjson.Do(false, catalog.getPartitions),
			"UpdateTable":    awsjson.Do(true, catalog.updateTable),
			"DeleteTable":    awsjson.Do(true, catalog.deleteTable),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the local Glue: %w", err)
	}
	return server, nil
}

// SetHooks exchanges the hooks.
func (s *Server) SetHooks(hooks awscall.Hooks) { s.hooks.Set(hooks) }
