package lambda

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"recsys/infra/local/aws/awscall"
)

// Function holds the arguments of CreateFunction.
type Function struct {
	// Name: 1 to 64 letters, digits, '-' and '_'.
	Name string
	// Bootstrap is the path of the executable.
	Bootstrap string
	// Env are the function's own variables, together at most 4 KB. Names that Lambda sets itself are refused.
	Env map[string]string
	// Timeout of one invocation, at most 15 minutes (default 3 s, as on AWS).
	Timeout time.Duration
	// MemoryMB is told to the function and not enforced (default 128, as on AWS).
	MemoryMB int
	// MaxConcurrency is the function's reserved concurrency: further invocations are throttled. 0 means no limit.
	MaxConcurrency int
}

// AWS's limits, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxTimeout     = 15 * time.Minute
	maxEnvironment = 4096
)

var (
	functionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	// reserved is the part of AWS's list of names that this emulator sets.
	reserved = regexp.MustCompile(`^(_HANDLER|TMPDIR|AWS_(DEFAULT_)?REGION|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_LAMBDA_.*|LAMBDA_TASK_ROOT)$`)
)

// function is a registered Function with its warm workers.
type function struct {
	Function
	log  *os.File
	peak atomic.Int64 // bytes

	mu      sync.Mutex
	idle    []*worker
	busy    int
	retired bool // another has taken its place
}

// newFunction goes on with the log, and the peak of memory, of the function that it replaces, if any.
func newFunction(f Function, replaced *function, logs string) (*function, error) {
	if f.Timeout == 0 {
		f.Timeout = 3 * time.Second
	}
	if f.MemoryMB == 0 {
		f.MemoryMB = 128
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(f.Bootstrap)
	if err != nil {
		return nil, err
	}
	f.Bootstrap = path
	if replaced != nil {
		registered := &function{Function: f, log: replaced.log}
		registered.peak.Store(replaced.peak.Load())
		return registered, nil
	}
	log, err := os.OpenFile(filepath.Join(logs, f.Name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening its log: %w", err)
	}
	return &function{Function: f, log: log}, nil
}

func (f Function) validate() error {
	var faults []error
	if !functionName.MatchString(f.Name) {
		faults = append(faults, fmt.Errorf("name %q: want 1 to 64 letters, digits, '-' or '_'", f.Name))
	}
	if f.Timeout < 0 || f.Timeout > maxTimeout {
		faults = append(faults, fmt.Errorf("timeout %v: want up to %v", f.Timeout, maxTimeout))
	}
	if _, err := os.Stat(f.Bootstrap); err != nil {
		faults = append(faults, fmt.Errorf("bootstrap: %w", err))
	}
	size := 0
	for name, value := range f.Env {
		size += len(name) + len(value)
		if reserved.MatchString(name) {
			faults = append(faults, fmt.Errorf("variable %s is set by Lambda itself", name))
		}
	}
	if size > maxEnvironment {
		faults = append(faults, fmt.Errorf("environment of %d bytes: Lambda allows %d", size, maxEnvironment))
	}
	return errors.Join(faults...)
}

// environ is the whole environment of a worker: nothing of the host's.
func (f *function) environ(w *worker, config Config, runtimeAPI string) []string {
	identity := aws.Credentials{AccessKeyID: f.Name, SecretAccessKey: "local", SessionToken: w.sessionToken()}
	if config.Credentials != nil {
		identity = *config.Credentials
	}
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"TMPDIR=" + w.tmp,
		"_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(f.Bootstrap),
		"AWS_REGION=" + awscall.Region,
		"AWS_DEFAULT_REGION=" + awscall.Region,
		"AWS_ACCESS_KEY_ID=" + identity.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + identity.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + identity.SessionToken,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		fmt.Sprintf("AWS_LAMBDA_LOG_STREAM_NAME=[$LATEST]%d", w.number),
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI,
	}
	for _, name := range slices.Sorted(maps.Keys(f.Env)) {
		env = append(env, name+"="+f.Env[name])
	}
	return env
}

// enter counts an invocation in. False means that the reserved concurrency is used up.
func (f *function) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.MaxConcurrency > 0 && f.busy >= f.MaxConcurrency {
		return false
	}
	f.busy++
	return true
}

func (f *function) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
}

// takeIdle hands out the most recently used warm worker, or nil.
func (f *function) takeIdle() *worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.idle) == 0 {
		return nil
	}
	w := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	return w
}

// park keeps a warm worker. False means that the function is replaced, and wants none.
func (f *function) park(w *worker) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.retired {
		f.idle = append(f.idle, w)
	}
	return !f.retired
}

// retire hands out the idle workers, and lets no further one become idle.
func (f *function) retire() []*worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	idle := f.idle
	f.idle, f.retired = nil, true
	return idle
}
