// load-sample-shop fills a new MySQL with the sample shop and makes the pipeline's user. It is a CloudFormation
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

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/shop/source"
)

func main() {
	s, err := settings.Load[settings.LoadSampleShop]()
	if err != nil {
		step.Fatal(err)
	}
	administrator, err := source.Configure(context.Background(), s.Source)
	if err != nil {
		step.Fatal(err)
	}
	handler := Handler{
		Administrator: administrator,
		Shop:          sampleshop.Options{SampleShop: s.SampleShop},
		Reader:        Reader{Name: s.Reader, Plugin: "AWSAuthenticationPlugin", As: "RDS"},
	}
	step.Start(handler.Resource().Function())
}
