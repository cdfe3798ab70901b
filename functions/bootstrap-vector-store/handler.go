package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"recsys/shared/rds"
	"recsys/shared/settings"
	"recsys/shared/vectorstore"
)

// Handler bootstraps one vector database.
type Handler struct {
	Store settings.VectorStore // as its owner
	Token rds.Login            // for an owner who may no longer use the password
	Pause time.Duration        // between two attempts
}

// physicalID never changes: CloudFormation deletes a resource whose id does.
const physicalID = "recsys-vector-store"

const (
	attempts = 6
	pause    = 10 * time.Second // a new instance's name takes a moment to be known everywhere
)

// Handle is cfn.CustomResourceFunction. Run again, it changes nothing.
func (h Handler) Handle(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
	if event.RequestType == cfn.RequestDelete {
		return event.PhysicalResourceID, nil, nil
	}
	for attempt := 1; ; attempt++ {
		err := h.bootstrap(ctx)
		if err == nil {
			slog.InfoContext(ctx, "the vector database is ready", "request", event.RequestType, "attempt", attempt)
			return physicalID, nil, nil
		}
		if attempt == attempts || !vectorstore.IsTransient(err) {
			return physicalID, nil, err
		}
		slog.WarnContext(ctx, "trying again", "attempt", attempt, "error", err)
		select {
		case <-ctx.Done():
			return physicalID, nil, err
		case <-time.After(h.Pause):
		}
	}
}

func (h Handler) bootstrap(ctx context.Context) error {
	conn, err := vectorstore.ConnectOwner(ctx, vectorstore.Config{VectorStore: h.Store, Application: "bootstrap-vector-store"}, h.Token)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return vectorstore.Bootstrap(ctx, conn)
}
