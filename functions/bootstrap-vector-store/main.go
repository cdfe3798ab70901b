// bootstrap-vector-store makes the vector database ready: a CloudFormation custom resource, which a deployment runs
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
	"recsys/shared/runtime/step"
	"recsys/shared/store/rds"
)

func main() {
	config, err := settings.Load[settings.BootstrapVectorStore]()
	if err != nil {
		step.Fatal(err)
	}
	token, err := rds.NewLogin(context.Background(), true, "")
	if err != nil {
		step.Fatal(err)
	}
	handler := Handler{Store: config.VectorStore, Token: token}
	step.Start(handler.Resource().Function())
}
