package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// Build is where the functions have been compiled to, one folder with one file, bootstrap, for each.
type Build struct{ dir string }

// Code is a function's asset, which CDK uploads. Its name is the hash of its bytes.
func (b Build) Code(function string) lambda.Code {
	return lambda.Code_FromAsset(jsii.String(filepath.Join(b.dir, function)), nil)
}

// BuildFunctions compiles functions/ for Lambda's arm64 into build/ under the repository's root. The same sources and
// the same Go give the same bytes, wherever the checkout lies.
func BuildFunctions(ctx context.Context, root string) (Build, error) {
	build := Build{dir: filepath.Join(root, "build", "functions")}
	compiled := filepath.Join(root, "build", "bin")
	if err := os.MkdirAll(compiled, 0o755); err != nil {
		return build, fmt.Errorf("building the functions: %w", err)
	}
	folders, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		return build, fmt.Errorf("finding the functions: %w", err)
	}
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", compiled + string(filepath.Separator)}
	for _, main := range folders {
		arguments = append(arguments, "./functions/"+filepath.Base(filepath.Dir(main)))
	}
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return build, fmt.Errorf("building the functions: %w\n%s", err, output)
	}
	for _, main := range folders {
		if err := layOut(compiled, build.dir, filepath.Base(filepath.Dir(main))); err != nil {
			return build, fmt.Errorf("building the functions: %w", err)
		}
	}
	return build, nil
}

// Bundle puts the shop file into the folder of plan-extract, which reads it there.
func (b Build) Bundle(shopFile string) error {
	if shopFile == "" {
		return nil
	}
	content, err := os.ReadFile(shopFile)
	if err == nil {
		err = os.WriteFile(filepath.Join(b.dir, "plan-extract", filepath.Base(shopFile)), content, 0o644)
	}
	if err != nil {
		return fmt.Errorf("bundling the shop file: %w", err)
	}
	return nil
}

// layOut gives a function the folder and the file name that provided.al2023 wants. Files of an earlier build go.
func layOut(compiled, dir, function string) error {
	binary, err := os.ReadFile(filepath.Join(compiled, function))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, function)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, function), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, function, "bootstrap"), binary, 0o755)
}

// repositoryRoot is the folder of go.mod, above the current one.
func repositoryRoot() (string, error) {
	output, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("finding the module: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(output)))
	if _, err := os.Stat(filepath.Join(root, "functions")); err != nil {
		return "", fmt.Errorf("finding the functions: run this inside the repository: %w", err)
	}
	return root, nil
}
