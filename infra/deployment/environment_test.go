package deployment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnEnvironmentsFileIsTheDeploymentsOptions(t *testing.T) {
	options, err := Resolve(map[string]any{"env": "example", "@aws-cdk/core:aFlag": true, "shards": "2"}, "../environments", Place{"123456789012", "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	config, err := ReadConfig(options)
	if err != nil || !config.Prod() || config.Name != "recsys-example" || !config.HighAvailability || config.Shards != 2 {
		t.Errorf("got %+v, %v", config, err)
	}
}

func TestAnEnvironmentIsSynthesizedWithoutCredentials(t *testing.T) {
	if _, err := Resolve(map[string]any{"env": "example"}, "../environments", Place{Region: "us-east-1"}); err != nil {
		t.Error(err)
	}
}

func TestWithoutAnEnvironmentItIsDev(t *testing.T) {
	options, err := Resolve(map[string]any{"shards": "2"}, "../environments", Place{"1", "anywhere"})
	if config, readErr := ReadConfig(options); err != nil || readErr != nil || config.Stage != "dev" || config.Name != "recsys" {
		t.Errorf("got %+v, %v, %v", config, err, readErr)
	}
}

func TestARegionWithoutARootCertificateIsRefusedByName(t *testing.T) {
	for _, region := range []string{"", "eu-west-1", "us-east-1", "ap-southeast-4"} {
		if err := CheckRegion(region); err != nil {
			t.Error(err)
		}
	}
	err := CheckRegion("xx-nowhere-1")
	if err == nil || !strings.Contains(err.Error(), "region xx-nowhere-1: its RDS root certificate is missing") {
		t.Errorf("got %v", err)
	}
}

// A forgotten flag, another account or a mistyped file must not change production.
func TestAWrongEnvironmentIsRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"typo":       `{"stage":"prod","stack":"s","account":"123456789012","region":"eu-west-1","optoins":{}}`,
		"no-account": `{"stage":"prod","stack":"s","region":"eu-west-1"}`,
		"no-region":  `{"stage":"prod","stack":"s","account":"123456789012","region":"Ireland"}`,
		"no-stage":   `{"stack":"s","account":"123456789012","region":"eu-west-1"}`,
		"good":       `{"stage":"prod","stack":"s","account":"123456789012","region":"eu-west-1","options":{"shards":2}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for want, c := range map[string]struct {
		context map[string]any
		here    Place
	}{
		"stage prod needs a file":                 {context: map[string]any{"stage": "prod"}},
		"there is no infra/environments/nil.json": {context: map[string]any{"env": "nil"}},
		"want the name of a file":                 {context: map[string]any{"env": "../secret"}},
		`unknown field "optoins"`:                 {context: map[string]any{"env": "typo"}},
		`account is ""`:                           {context: map[string]any{"env": "no-account"}},
		`region is "Ireland"`:                     {context: map[string]any{"env": "no-region"}},
		"stage and stack are missing":             {context: map[string]any{"env": "no-stage"}},
		"shards is given by the environment":      {context: map[string]any{"env": "good", "shards": "3"}},
		"stage is given by the environment":       {context: map[string]any{"env": "good", "stage": "dev"}},
		"credentials are of account 9":            {map[string]any{"env": "good"}, Place{Account: "999999999999"}},
		"the region is us-east-1":                 {map[string]any{"env": "good"}, Place{"123456789012", "us-east-1"}},
	} {
		if _, err := Resolve(c.context, dir, c.here); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", c.context, err, want)
		}
	}
}
