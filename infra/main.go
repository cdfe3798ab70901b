// Command infra is the CDK app: the whole pipeline as one CloudFormation stack. The cdk command runs it, by cdk.json:
//
//	npx cdk deploy                     # everything, with a small MySQL that holds the sample shop
//	npx cdk deploy -c env=prod         # as infra/environments/prod.json says
//
// It needs no AWS account to synthesize and no Docker: the functions are cross-compiled by the go command that is
// running, and nothing is looked up. Options: deployment.Config. Reads functions/ and statemachines/. Writes build/
// and the cdk command's output (cdk.out/).
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
)

func main() {
	err := synthesize(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	// jsii waits for its process twice, and whichever comes second complains that there is none.
	if silence, openErr := os.OpenFile(os.DevNull, os.O_WRONLY, 0); openErr == nil {
		os.Stderr = silence
	}
	jsii.Close()
	if err != nil {
		os.Exit(1)
	}
}

func synthesize(ctx context.Context) error {
	app := awscdk.NewApp(nil)
	given, _ := app.Node().GetAllContext(nil).(map[string]any)
	root, err := repositoryRoot()
	if err != nil {
		return err
	}
	// The cdk command sets these two from the credentials, if it finds any.
	here := deployment.Place{Account: os.Getenv("CDK_DEFAULT_ACCOUNT"), Region: os.Getenv("CDK_DEFAULT_REGION")}
	options, err := deployment.Resolve(given, filepath.Join(root, "infra", "environments"), here)
	if err != nil {
		return err
	}
	if err := deployment.CheckRegion(here.Region); err != nil {
		return err
	}
	config, err := deployment.ReadConfig(options)
	if err != nil {
		return err
	}
	functions, err := BuildFunctions(ctx, root)
	if err != nil {
		return err
	}
	if err := functions.Bundle(config.ShopFile); err != nil {
		return err
	}
	NewStack(app, config, functions.Code)
	app.Synth(nil)
	return nil
}
