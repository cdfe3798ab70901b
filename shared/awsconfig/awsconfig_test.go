package awsconfig_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/aws/smithy-go/logging"

	"recsys/shared/awsconfig"
)

func TestTheSDKSpeaksInTheFunctionsLog(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var out bytes.Buffer
	cfg, err := awsconfig.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil))) // later than Load, as a function does
	cfg.Logger.Logf(logging.Debug, "not shown")
	cfg.Logger.Logf(logging.Warn, "%d tries", 2)
	var line struct{ Level, Message string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Level != "WARN" || line.Message != "2 tries" {
		t.Errorf("%s: %v", &out, err)
	}
}
