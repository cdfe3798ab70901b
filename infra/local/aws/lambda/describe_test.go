package lambda_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"recsys/infra/local/aws/lambda"
)

func TestFunctionsAreListedAndDescribed(t *testing.T) {
	b := setup(t, lambda.Function{Timeout: 90 * time.Second, MemoryMB: 512, Env: map[string]string{"DATABASE_URL": "postgres://reader:secret@h/d"}})
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "z"} {
		if err := b.Register(lambda.Function{Name: name, Bootstrap: filepath.Join(bin, "function")}); err != nil {
			t.Fatal(err)
		}
	}
	client := awslambda.New(awslambda.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(b.URL()), Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	var names []string
	pages := awslambda.NewListFunctionsPaginator(client, &awslambda.ListFunctionsInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	if !slices.Equal(names, []string{"a", "f", "z"}) {
		t.Errorf("listed %q", names)
	}
	for _, name := range []string{"f", "arn:aws:lambda:us-east-1:000000000000:function:f"} {
		out, err := client.GetFunction(t.Context(), &awslambda.GetFunctionInput{FunctionName: &name})
		if err != nil {
			t.Fatal(err)
		}
		got := out.Configuration
		if *got.Timeout != 90 || *got.MemorySize != 512 || got.State != types.StateActive || got.CodeSize == 0 || got.Environment != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	configuration, err := client.GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: aws.String("a")})
	if err != nil || *configuration.Timeout != 3 {
		t.Errorf("%+v, %v", configuration, err)
	}
	if _, err := client.GetFunction(t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("none")}); !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("no such function: %v", err)
	}
}
