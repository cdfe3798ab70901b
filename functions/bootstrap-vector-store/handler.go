package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/customresource"
	"recsys/shared/store/rds"
	"recsys/shared/store/vectorstore"
)

// Handler bootstraps one vector database.
type Handler struct {
	Store settings.VectorStore // as its owner
	Token rds.Login            // for an owner who may no longer use the password
}

// Resource is the custom resource.
func (h Handler) Resource() customresource.Resource {
	return customresource.Resource{ID: "recsys-vector-store", Prepare: h.prepare}
}

func (h Handler) prepare(ctx context.Context) (map[string]any, error) {
	conn, err := vectorstore.ConnectOwner(ctx, vectorstore.Config{VectorStore: h.Store, Application: "bootstrap-vector-store"}, h.Token)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return nil, vectorstore.Bootstrap(ctx, conn)
}
