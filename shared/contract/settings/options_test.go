package settings

import (
	"strings"
	"testing"
	"time"
)

func TestOptionsGoByName(t *testing.T) {
	got, err := ParseOptions(map[string]string{
		"sessionWeight": " 0 ", "trendingHalfLife": "90m", "hnswM": "32", "gateTrained": "report", "holdOutSeed": "0", "factors": "64",
		"batchSize": "7", "batchWindowSeconds": "0", "maxAttempts": "0", "train": "false", "metric": "l2",
	})
	if err != nil || got.SessionWeight != 0 || got.TrendingHalfLife != 90*time.Minute || got.M != 32 || got.GateTrained != "report" || got.HoldOut.Seed != 0 ||
		got.Factors != 64 || got.BatchSize != 7 || got.BatchWindowSeconds != 0 || got.MaxAttempts != 0 || got.ByDefault || got.Metric != "l2" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got.Limit != 5 || got.EfConstruction != 64 || got.GateHandedOver != "report" || got.Margin != 0.1 || got.Training.Seed != 1 || got.TrainMemoryMiB != 3008 ||
		got.MaxRecordAgeSeconds != 21600 || got.Iterations != 10 || got.UnobservedWeight != 0.5 || got.Regularization != 0.45 || got.FrequencyExponent != 0.75 {
		t.Errorf("by default: %+v", got)
	}
}

// A number pins its option, also if it is the one that auto stands for. What is given reaches the function.
func TestANumberPinsItsOption(t *testing.T) {
	given, err := ParseOptions(map[string]string{"factors": "32", "frequencyExponent": "0", "iterations": "auto"})
	if err != nil || given.Pinned != (Pinned{Factors: true, FrequencyExponent: true}) || given.Factors != 32 || given.FrequencyExponent != 0 || given.Iterations != 10 {
		t.Errorf("%+v, %v", given.Training, err)
	}
	variables := Environ(given.Training)
	if variables["FACTORS"] != "32" || variables["FREQUENCY_EXPONENT"] != "0" || variables["ITERATIONS"] != "auto" || variables["FEATURE_RIDGE"] != "auto" {
		t.Errorf("variables %v", variables)
	}
	for name, text := range variables {
		t.Setenv(name, text)
	}
	if read, err := Load[Training](); err != nil || read != given.Training {
		t.Errorf("read %+v, %v", read, err)
	}
}

func TestWrongOptionsAreNamedAtOnce(t *testing.T) {
	for want, given := range map[string]map[string]string{
		"sessionWait is no option: want one of apiCustomerClaim, ": {"sessionWait": "1"},
		"LIMIT is no option":                                            {"LIMIT": "1"},
		`limit is "many": want a whole number 1 to 100`:                 {"limit": "many"},
		"limit is 0: want 1 to 100":                                     {"limit": "0"},
		"sessionWeight is 2: want 0 to 1":                               {"limit": "0", "sessionWeight": "2"},
		`gateTrained is "off": want one of enforce, report`:             {"gateTrained": "off"},
		"holdOutFraction is 1: want more than 0, less than 1":           {"holdOutFraction": "1"},
		"factors is -1: want 1 to 512":                                  {"factors": "-1"},
		`holdOutSeed is "-1": want a whole number, 0 or more`:           {"holdOutSeed": "-1"},
		"unobservedWeight is 0: want more than 0, at most 1e6":          {"unobservedWeight": "0"},
		"batchSize is 0: want 1 to 10000":                               {"batchSize": "0"},
		"batchWindowSeconds is 301: want 0 to 300":                      {"batchWindowSeconds": "301"},
		"trainMemoryMiB is 511: want 512 to 10240":                      {"trainMemoryMiB": "511"},
		`metric is "dot": want one of cosine, inner_product, l2`:        {"metric": "dot"},
		"hnswEfConstruction is 8: want at least 32, which is twice":     {"hnswEfConstruction": "8"},
		"keepVersions is 1: want 2 to 1000":                             {"keepVersions": "1"},
		"trendingHalfLife is 10ms: want at least 1s":                    {"trendingHalfLife": "10ms"},
		"trendingItems is true and trendingHalfLife is 0":               {"trendingItems": "true", "trendingHalfLife": "0"},
		"gateMargin is 11: want 0 to 10\ngateTolerance is 2: want 0 to": {"gateMargin": "11", "gateTolerance": "2"},
	} {
		if _, err := ParseOptions(given); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", given, err, want)
		}
	}
}

func TestEveryOptionIsDescribed(t *testing.T) {
	help := strings.Split(strings.TrimSpace(OptionHelp()), "\n")
	if len(help) != len(OptionNames()) {
		t.Errorf("%d lines for %d options", len(help), len(OptionNames()))
	}
	for _, line := range help {
		if words := strings.Fields(line); len(words) < 4 {
			t.Errorf("%q: want name, default and text", line)
		}
	}
}
