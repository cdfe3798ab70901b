package lambda

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"recsys/infra/local/aws/awscall"
)

// maxListed is the API's largest page of ListFunctions, and the default.
const maxListed = 50

// configuration is the API's FunctionConfiguration. It leaves the variables out: databases' passwords are in them.
type configuration struct {
	FunctionName, FunctionArn, Role, Runtime, Handler, Version, PackageType, State, LastUpdateStatus, LastModified string

	Architectures       []string
	Timeout, MemorySize int
	CodeSize            int64
}

func (e *Emulator) describe(f *function) configuration {
	described := configuration{
		FunctionName: f.Name, FunctionArn: e.arn(f.Name), Role: awscall.RoleARN, Runtime: "provided.al2023", Handler: "bootstrap",
		Version: "$LATEST", PackageType: "Zip", State: "Active", LastUpdateStatus: "Successful",
		Architectures: []string{"x86_64"}, Timeout: int(f.Timeout.Seconds()), MemorySize: f.MemoryMB,
	}
	if runtime.GOARCH == "arm64" {
		described.Architectures[0] = "arm64"
	}
	if info, err := os.Stat(f.Bootstrap); err == nil {
		described.CodeSize = info.Size()
		described.LastModified = info.ModTime().UTC().Format("2006-01-02T15:04:05.000-0700")
	}
	return described
}

// serveList answers ListFunctions. The marker is the last name of the page before.
func (e *Emulator) serveList(response http.ResponseWriter, request *http.Request) {
	query := request.URL.Query()
	limit := maxListed
	if text := query.Get("MaxItems"); text != "" {
		wanted, err := strconv.Atoi(text)
		if err != nil || wanted < 1 {
			refuse(response, &ServiceError{"InvalidParameterValueException", fmt.Sprintf("MaxItems is %q: want 1 or more", text), http.StatusBadRequest})
			return
		}
		limit = min(limit, wanted)
	}
	e.mu.Lock()
	functions := maps.Clone(e.functions)
	e.mu.Unlock()
	listed := struct {
		Functions  []configuration
		NextMarker string `json:",omitempty"`
	}{Functions: []configuration{}}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		if name <= query.Get("Marker") {
			continue
		}
		if len(listed.Functions) == limit {
			listed.NextMarker = listed.Functions[limit-1].FunctionName
			break
		}
		listed.Functions = append(listed.Functions, e.describe(functions[name]))
	}
	answer(response, listed)
}

// serveFunction answers GetFunction, and GetFunctionConfiguration by its own path.
func (e *Emulator) serveFunction(response http.ResponseWriter, request *http.Request) {
	name := plainName(request.PathValue("name"))
	e.mu.Lock()
	found := e.functions[name]
	e.mu.Unlock()
	if found == nil {
		refuse(response, e.notFound(name))
		return
	}
	described := e.describe(found)
	if strings.HasSuffix(request.URL.Path, "/configuration") {
		answer(response, described)
		return
	}
	answer(response, map[string]any{"Configuration": described, "Code": map[string]string{"RepositoryType": "file", "Location": "file://" + found.Bootstrap}})
}

// plainName takes a function's name out of an ARN and leaves the qualifier: there is one version.
func plainName(name string) string {
	if _, after, isARN := strings.Cut(name, ":function:"); isARN {
		name = after
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

func answer(response http.ResponseWriter, value any) {
	response.Header().Set("Content-Type", "application/json")
	// A client that has gone away needs no answer.
	_ = json.NewEncoder(response).Encode(value)
}
