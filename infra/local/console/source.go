package console

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
)

// Source is all that the console reads.
type Source struct {
	// Place names the deployment, "this machine" or an environment.
	Place string
	// Workflow and Machine are the state machine.
	Workflow *sfn.Client
	Machine  string
	// The three buckets.
	Lake, Artifacts, Recommendations *objectstore.Store
	// Database is PostgreSQL as its reader sees it. Without it the console tells what Step Functions and S3 know.
	Database *pgxpool.Pool
	// Answers is asked on the page Try it. Nil: the page says why it is empty.
	Answers *answers.Service
	// ReadOnly refuses to start runs and to activate versions.
	ReadOnly bool
	// Location is where a person finds an object. Nil is its s3 address.
	Location func(store *objectstore.Store, key string) string
	// Glue is the name of the database with the training data's table.
	Glue string
}

func (s Source) location(store *objectstore.Store, key string) string {
	if s.Location != nil {
		return s.Location(store, key)
	}
	return store.URI(key)
}

// patience bounds all that a page reads.
const patience = 20 * time.Second

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, patience)
}
