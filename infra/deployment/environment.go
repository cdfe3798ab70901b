package deployment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"recsys/shared/store/rds"
)

// Environment is one deployment, as a file in infra/environments has it. `-c env=prod` reads prod.json. Its options
// then come from the file alone, and the template is synthesized for its account and region alone.
type Environment struct {
	Stage string `json:"stage"`
	// Stack is the option name: the name of the stack and of everything with a fixed name.
	Stack string `json:"stack"`
	// Account and Region are where it belongs.
	Account string `json:"account"`
	Region  string `json:"region"`
	// Options are those of Config, by their names.
	Options map[string]any `json:"options"`
}

// Place is the account and the region of the cdk command's credentials, empty without any.
type Place struct{ Account, Region string }

// Resolve returns the options that the context asks for. With env they come from its file. Without, it is stage dev,
// because stage prod needs a file that pins its account.
func Resolve(context map[string]any, dir string, here Place) (map[string]any, error) {
	name, isSet := context["env"]
	if !isSet {
		if context["stage"] == "prod" {
			return nil, errors.New("configuration: stage prod needs a file: copy infra/environments/example.json to prod.json there, fill it in, and give -c env=prod")
		}
		return context, nil
	}
	environment, err := readEnvironment(dir, fmt.Sprint(name))
	if err != nil {
		return nil, err
	}
	if err := environment.belongs(here); err != nil {
		return nil, fmt.Errorf("environment %v: %w", name, err)
	}
	return environment.options(context)
}

var (
	environmentName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	accountID       = regexp.MustCompile(`^[0-9]{12}$`)
	regionName      = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

func readEnvironment(dir, name string) (Environment, error) {
	var e Environment
	if !environmentName.MatchString(name) {
		return e, fmt.Errorf("configuration: env is %q: want the name of a file in infra/environments, without .json", name)
	}
	text, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if errors.Is(err, os.ErrNotExist) {
		return e, fmt.Errorf("configuration: there is no infra/environments/%s.json: copy example.json there and fill it in", name)
	}
	if err != nil {
		return e, fmt.Errorf("reading the environment: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return e, fmt.Errorf("reading infra/environments/%s.json: %w", name, err)
	}
	switch {
	case e.Stage == "" || e.Stack == "":
		err = errors.New("stage and stack are missing")
	case !accountID.MatchString(e.Account):
		err = fmt.Errorf("account is %q: want the 12 digits that `aws sts get-caller-identity` prints", e.Account)
	case !regionName.MatchString(e.Region):
		err = fmt.Errorf("region is %q: want a name such as eu-west-1", e.Region)
	}
	if err != nil {
		return e, fmt.Errorf("infra/environments/%s.json: %w", name, err)
	}
	return e, nil
}

// belongs refuses another account or region than the environment's. Without credentials the cdk command names a region all
// the same, and nothing can be deployed.
func (e Environment) belongs(here Place) error {
	if here.Account == "" {
		return nil
	}
	if here.Account != e.Account {
		return fmt.Errorf("the credentials are of account %s, and it belongs to %s: choose another AWS_PROFILE", here.Account, e.Account)
	}
	if here.Region != "" && here.Region != e.Region {
		return fmt.Errorf("the region is %s, and it belongs to %s: set AWS_REGION", here.Region, e.Region)
	}
	return nil
}

// options are the file's, with the rest of the context, which is the CDK's own. An option has one place.
func (e Environment) options(context map[string]any) (map[string]any, error) {
	merged := maps.Clone(context)
	delete(merged, "env")
	options := maps.Clone(e.Options)
	if options == nil {
		options = map[string]any{}
	}
	options["stage"], options["name"] = e.Stage, e.Stack
	for option, value := range options {
		if _, twice := merged[option]; twice {
			return nil, fmt.Errorf("configuration: %s is given by the environment's file, too: change it there, not by -c or in cdk.json", option)
		}
		merged[option] = value
	}
	return merged, nil
}

// CheckRegion refuses a region whose databases no function would trust: the program lacks the root of their certificates.
// An empty name is a region that is not known yet.
func CheckRegion(region string) error {
	if region == "" || slices.Contains(rds.Regions(), region) {
		return nil
	}
	return fmt.Errorf("region %s: its RDS root certificate is missing in shared/store/rds/certificates.pem, so functions could not connect. Want one of %s",
		region, strings.Join(rds.Regions(), ", "))
}
