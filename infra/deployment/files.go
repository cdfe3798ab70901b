package deployment

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// FromFiles reads the options as the CDK app does: cdk.json's, then those given, then the environment's file. The working
// directory is the repository.
func FromFiles(given map[string]any, here Place) (Config, error) {
	text, err := os.ReadFile("cdk.json")
	if err != nil {
		return Config{}, fmt.Errorf("reading cdk.json (run this in the repository): %w", err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		return Config{}, fmt.Errorf("reading cdk.json: %w", err)
	}
	for name, value := range given {
		file.Context[name] = value
	}
	options, err := Resolve(file.Context, filepath.Join("infra", "environments"), here)
	if err != nil {
		return Config{}, err
	}
	return ReadConfig(options)
}
