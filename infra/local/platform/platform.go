// Package platform puts the local mode together: a MySQL with a shop in it, PostgreSQL with pgvector, S3, Glue,
// Firehose and Kinesis. Lambda runs the project's own binaries. The event source mapping and the state machine invoke
// them.
//
// Promise: after Start everything answers. After Close nothing is left running. One Platform at a time lives on a
// state directory. Objects lie as plain files under <StateDir>/s3/<bucket>/. Everything listens on loopback.
//
// Reads the repository's functions/ and statemachines/. Writes <StateDir> and the repository's .local/cache.
package platform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"recsys/infra/local/aws/eventsource"
	"recsys/infra/local/aws/firehose"
	"recsys/infra/local/aws/glue"
	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/aws/s3"
	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/mysql"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/db/provision"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
)

// Config holds the servers to start and their sources.
type Config struct {
	// StateDir holds databases, buckets and logs. It is a folder made by an earlier start, an empty one or a new one.
	// Required.
	StateDir string
	// SourceSQL are MySQL dumps, loaded in order. Default: the shop of an earlier start, at first the sample shop.
	SourceSQL []string
	// SourceEngine runs the private source. Default: the engine that wrote the dump, or else MySQL.
	SourceEngine mysql.Engine
	// SourceDatabase is the database of the dumps that holds the shop. Default: the only one with its tables.
	SourceDatabase string
	// ShopFile describes a shop with tables of its own. Default: that of an earlier start, at first none. NoShopFile takes it
	// away.
	ShopFile string
	// SourceFiles is a folder of files in place of a database, for a shop file that names files. Default: those of an earlier
	// start.
	SourceFiles string
	// Environment names servers that run already. Default: none.
	Environment Environment
	// Cache provides the servers' programs. Default: the repository's, in silence.
	Cache *provision.Cache
	// Progress gets one line for each slow part. Default: silence.
	Progress func(string)
	// Options say how something is learned, judged or recommended. Default: those of settings.ParseOptions.
	Options settings.Options
	// Resources changes the resources of the functions, for tests. Default: the platform's own servers.
	Resources func(*workflow.Resources)
	// RouteVectorStore changes the address (host:port) at which functions find PostgreSQL, so that tests can put a
	// proxy in between. Default: straight.
	RouteVectorStore func(address string) (string, error)
	// Certificate makes the private databases speak TLS to functions that ask for it, for tests.
	Certificate *authority.Certificate
	// Disposable says that the private databases need not outlive the machine's power, for tests.
	Disposable bool
	// Built says that the functions are built already, because tests build them once. Default: they are built.
	Built bool
	// Engine of the state machine. Default: one of its own. Tests share one, because Node takes long to load it.
	Engine *stepfunctions.Engine
	// RetryInterval replaces the state machine's own waits before a retry, for tests.
	RetryInterval *time.Duration
}

// Environment names a person's own servers.
type Environment struct {
	MySQLDSN    string // MYSQL_DSN
	DatabaseURL string // DATABASE_URL
	S3          string // AWS_ENDPOINT_URL_S3
	Kinesis     string // AWS_ENDPOINT_URL_KINESIS
	Firehose    string // AWS_ENDPOINT_URL_FIREHOSE
	Glue        string // AWS_ENDPOINT_URL_GLUE
}

// FromEnvironment reads the variables of that name. AWS_ENDPOINT_URL stands for all services.
func FromEnvironment() Environment {
	service := func(name string) string {
		if endpoint := os.Getenv("AWS_ENDPOINT_URL_" + name); endpoint != "" {
			return endpoint
		}
		return os.Getenv("AWS_ENDPOINT_URL")
	}
	return Environment{
		os.Getenv("MYSQL_DSN"), os.Getenv("DATABASE_URL"),
		service("S3"), service("KINESIS"), service("FIREHOSE"), service("GLUE"),
	}
}

// The resources' names. On AWS, CloudFormation chooses the names.
const (
	LakeBucket            = "recsys-lake"
	ArtifactsBucket       = "recsys-ml-artifacts"
	RecommendationsBucket = "recsys-recommendations"
	ActivityStream        = "user-activity"
	DeliveryStream        = "recommendations"
	GlueDatabase          = "recsys"
	VectorDatabase        = "recsys"
	// AnswersPrefix is where Firehose puts recommendations.
	AnswersPrefix = lake.AnswersPrefix
)

// ErrBusy: another Platform lives on the state directory, or on the database of DATABASE_URL.
var ErrBusy = errors.New("another run or serve is at work")

// Platform is running.
type Platform struct {
	config Config

	// S3, Glue and Firehose are nil where Config.Environment names another server.
	S3       *s3.Server
	Glue     *glue.Server
	Firehose *firehose.Server
	Lambda   *lambda.Emulator
	Postgres *postgres.Server
	MySQL    *mysql.Server
	Mapping  *eventsource.Mapping

	*Client // for the requests

	shop     shape.Shop
	shopFile string // the copy in the state directory, "" for none

	failed chan error // of a server that could not be brought back

	mu      sync.Mutex
	closers []closer
}

// closer ends one server.
type closer struct {
	what string
	end  func() error
}

// Start starts every server and prepares buckets, streams, databases and functions. Slow parts run side by side. On
// an error the started servers are stopped again.
func Start(ctx context.Context, config Config) (*Platform, error) {
	if config.Progress == nil {
		config.Progress = func(string) {}
	}
	if config.Cache == nil {
		cache, err := provision.Open(provision.Config{Progress: config.Progress})
		if err != nil {
			return nil, err
		}
		config.Cache = cache
	}
	if config.Options == (settings.Options{}) {
		options, err := settings.ParseOptions(nil)
		if err != nil {
			return nil, err
		}
		config.Options = options
	}
	p := &Platform{config: config, failed: make(chan error, 1), Client: &Client{retryInterval: config.RetryInterval}}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Platform) start(ctx context.Context) error {
	if err := p.config.check(); err != nil {
		return err
	}
	if err := makeStateDir(p.config.StateDir); err != nil {
		return err
	}
	unlock, err := Lock(p.config.StateDir)
	if err != nil {
		return err
	}
	p.onClose("the lock", unlock)
	if err := p.prepareShopFile(); err != nil {
		return err
	}
	if err := p.closeToOthers(); err != nil {
		return err
	}
	if err := os.Remove(endpointsFile(p.config.StateDir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the endpoints of one that was killed: %w", err)
	}
	// It comes first, because the other parts wait for it, and it shows its own progress.
	modules, err := p.config.Cache.NodeModules(ctx)
	if err != nil {
		return err
	}
	p.Endpoints.NodeModules = modules
	if err := p.startEngine(); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return p.timed("building the functions", func() error { return p.buildFunctions(groupCtx) })
	})
	group.Go(func() error {
		return p.timed("starting PostgreSQL with pgvector", func() error { return p.startVectorStore(groupCtx) })
	})
	group.Go(func() error {
		return p.timed("starting MySQL with the shop", func() error { return p.startSource(groupCtx) })
	})
	group.Go(func() error {
		return p.timed("starting S3, Glue, Firehose and Kinesis", func() error { return p.startServices(groupCtx) })
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := p.giveFiles(ctx); err != nil {
		return err
	}
	if err := p.startFunctions(ctx); err != nil {
		return err
	}
	if err := p.startMapping(ctx); err != nil {
		return err
	}
	if err := p.startAPI(ctx); err != nil {
		return err
	}
	return p.startStepFunctions(ctx)
}

// check finds contradictions before anything starts.
func (c Config) check() error {
	switch {
	case c.StateDir == "":
		return errors.New("starting the platform: Config.StateDir is missing")
	case c.Environment.MySQLDSN == "":
		return nil
	case len(c.SourceSQL) > 0 || c.SourceEngine != "" || c.SourceDatabase != "":
		return errors.New("MYSQL_DSN excludes --source-sql, --source-engine and --source-database: a database that runs already is read as it is")
	}
	return mysql.CheckDSN(c.Environment.MySQLDSN)
}

// stillAfter is how often a part that takes long says that it is still at work.
const stillAfter = 5 * time.Second

// timed tells how long a part took, and that it is still at work while it takes long.
func (p *Platform) timed(what string, do func() error) error {
	began := time.Now()
	seconds := func() float64 { return time.Since(began).Seconds() }
	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		ticker := time.NewTicker(stillAfter)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				p.config.Progress(fmt.Sprintf("%s: %.0f s", what, seconds()))
			}
		}
	})
	err := do()
	close(done)
	telling.Wait()
	if err == nil {
		p.config.Progress(fmt.Sprintf("%s: done after %.1f s", what, seconds()))
	}
	return err
}

func (p *Platform) path(elements ...string) string {
	return filepath.Join(append([]string{p.config.StateDir}, elements...)...)
}

func (p *Platform) onClose(what string, end func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closers = append(p.closers, closer{what, end})
}

// Close stops everything, the last started first, and returns when it is gone.
func (p *Platform) Close() error {
	p.mu.Lock()
	closers := p.closers
	p.closers = nil
	p.mu.Unlock()
	var failures []error
	for i := len(closers) - 1; i >= 0; i-- {
		if err := closers[i].end(); err != nil {
			failures = append(failures, fmt.Errorf("stopping %s: %w", closers[i].what, err))
		}
	}
	return errors.Join(failures...)
}
