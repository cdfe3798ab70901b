// Package awsconfig loads the AWS SDK's configuration for every function. Region, credentials and endpoints come from
// the environment, and the SDK's messages go to the function's own log.
package awsconfig

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Load reads the configuration and calls no service.
func Load(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.LoggerFunc(log)))
	if err != nil {
		return cfg, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	cfg.HTTPClient = HTTPClient(cfg.HTTPClient) // nil without AWS_CA_BUNDLE
	return cfg, nil
}

// log keeps the log in JSON, where the SDK's own logger writes lines of text.
func log(kind logging.Classification, format string, values ...any) {
	level := slog.LevelDebug
	if kind == logging.Warn {
		level = slog.LevelWarn
	}
	slog.Log(context.Background(), level, "AWS SDK", "message", fmt.Sprintf(format, values...))
}
