// Command bootstrap-vector-store makes the vector database ready: a CloudFormation custom resource, which a deployment runs
// once and whenever its properties change.
//
// Input: a custom resource's event. Its properties are not read, so a change of any of them makes CloudFormation run
// it again. Output: CloudFormation's response, put to the event's ResponseURL. That is an object of an S3 bucket of
// AWS's in the same region, which a VPC without a way out reaches through its S3 gateway endpoint. Reads the owner's
// secret. Writes extension, schema, roles (with rds_iam on RDS) and the list of versions. Deleting changes nothing:
// the data goes with the database. Settings: settings.BootstrapVectorStore. See package customresource.
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
