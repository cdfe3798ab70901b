// Command load-sample-shop fills a new MySQL with the sample shop and makes the pipeline's user. It is a CloudFormation
// custom resource, for a deployment that was given no database of its own.
//
// Input: a custom resource's event. Its properties are not read, so a change of any of them makes CloudFormation run
// it again. Output: CloudFormation's response, put to the event's ResponseURL (an S3 bucket of AWS's in the same
// region). Reads the administrator's secret. Writes the shop's database, unless it holds the same shop already, and
// the user. The user may read the pipeline's columns and logs in with IAM tokens over TLS. A database with tables
// that it did not write is left alone and is an error. Deleting changes nothing: the data goes with the database.
// Settings: settings.LoadSampleShop. See package customresource.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/go-sql-driver/mysql"

	"recsys/shared/contract/failure"
	"recsys/shared/runtime/customresource"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/sampleshop"
)

// Handler loads one shop into one server.
type Handler struct {
	Administrator *mysql.Config // may create databases and users
	Shop          sampleshop.Options
	Reader        Reader
}

// Resource is the custom resource.
func (h Handler) Resource() customresource.Resource {
	return customresource.Resource{ID: "recsys-sample-shop", Prepare: h.prepare}
}

// A second prepare changes nothing. With other options it loads the other shop in the place of its own.
func (h Handler) prepare(ctx context.Context) (map[string]any, error) {
	if err := h.Shop.Validate(); err != nil {
		return nil, fmt.Errorf("loading the sample shop: %w", err)
	}
	connector, err := mysql.NewConnector(h.Administrator)
	if err != nil {
		return nil, fmt.Errorf("connecting as the administrator: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	// It uses one connection, because the lock and the file's settings belong to the connection.
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, failure.SourceUnavailable.Errorf("connecting as the administrator: %w", err)
	}
	defer conn.Close()
	if err := lock(ctx, conn); err != nil {
		return nil, err
	}
	loaded, err := h.load(ctx, conn)
	if err != nil {
		return nil, err
	}
	if err := h.Reader.create(ctx, conn, h.Shop.Database); err != nil {
		return nil, err
	}
	metrics.Count(ctx, metrics.Rows, loaded)
	slog.InfoContext(ctx, "the sample shop is ready", "database", h.Shop.Database, "loaded", loaded)
	return map[string]any{"Database": h.Shop.Database, "Reader": h.Reader.Name}, nil
}

// lockPatience, in seconds: a load that Lambda started twice, for it is called asynchronously, ends before.
const lockPatience = 600

func lock(ctx context.Context, conn *sql.Conn) error {
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK('recsys.load-sample-shop', ?)", lockPatience).Scan(&got); err != nil {
		return fmt.Errorf("waiting for another load: %w", err)
	}
	if got.Int64 != 1 {
		return fmt.Errorf("waiting for another load: it is still at work after %d s", lockPatience)
	}
	return nil
}
