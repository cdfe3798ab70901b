package workflow

import (
	"slices"
	"strings"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
)

// Step is a function of functions/: its invoker, its size, its settings and its rights. infra deploys it so, and
// infra/local runs it so.
type Step struct {
	// Name is the function's, and its folder's in functions/.
	Name string
	// RunBy names its invoker.
	RunBy Runner
	// MemoryMiB buys CPU, too: 1,769 are one core.
	MemoryMiB int
	// Timeout bounds a call.
	Timeout time.Duration
	// ScratchMiB is the size of its /tmp. Default: the 512 that cost nothing.
	ScratchMiB int
	// Settings is its struct of package settings, which becomes its environment.
	Settings any
	// Rights are all that it may do, next to logging.
	Rights []Right
}

// Runner is the kind of a function's invoker.
type Runner string

const (
	// StateMachine is statemachines/batch.asl.json.
	StateMachine Runner = "state machine"
	// Stream is the event source mapping of the activity stream.
	Stream Runner = "stream"
	// Gateway is the HTTP API.
	Gateway Runner = "gateway"
	// Deployment is CloudFormation. On one machine the local mode prepares the databases itself.
	Deployment Runner = "deployment"
)

// Placeholder returns the name that stands for the function in the state machine: PlanExtractFunction for plan-extract.
func (s Step) Placeholder() string {
	var placeholder strings.Builder
	for word := range strings.SplitSeq(s.Name, "-") {
		placeholder.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return placeholder.String() + "Function"
}

// NeedsNetwork reports a function that speaks to a database, which stands in the VPC.
func (s Step) NeedsNetwork() bool {
	return slices.ContainsFunc(s.Rights, func(r Right) bool { return slices.Contains(databases, r.On) })
}

// Resources are given to functions by a deployment. A function that lacks a needed one does not start.
type Resources struct {
	Lake                  settings.Lake
	Artifacts             settings.Artifacts
	RecommendationsBucket string
	GlueDatabase          string
	DeliveryStream        string
	EventBus              string // "" for none
	// ShopFile describes the shop to plan-extract.
	ShopFile settings.ShopFile
	// Source is the shop's MySQL, as its reader sees it. Loader and Reader are two roles of the vector database.
	Source         settings.Source
	Loader, Reader settings.VectorStore
	// Owner is the vector database's owner. Administrator may create databases and users in a MySQL of our own, for
	// SourceReader to read SourceDatabase.
	Owner                        settings.VectorStore
	Administrator                settings.Source
	SourceReader, SourceDatabase string
}

const (
	// longest is the most time that Lambda gives a call. The workflow's own time-out is a little longer.
	longest = 15 * time.Minute
	// rangeScratchMiB holds one range's Parquet before and after. It is 200 bytes a row, twice over, for the largest
	// ranges that the configuration allows: 5 million rows. It costs next to nothing.
	rangeScratchMiB = 2048
)

// Names returns the names of the functions that a runner invokes, in the order of Steps.
func Names(by Runner) []string {
	var names []string
	for _, step := range Steps(Resources{}, settings.Options{}) {
		if step.RunBy == by {
			names = append(names, step.Name)
		}
	}
	return names
}

// Placeholders maps every substitution of the state machine to its function.
func Placeholders() map[string]string {
	placeholders := map[string]string{}
	for _, step := range Steps(Resources{}, settings.Options{}) {
		if step.RunBy == StateMachine {
			placeholders[step.Placeholder()] = step.Name
		}
	}
	return placeholders
}

// Named returns the step of that name. A name that is not in the table is a fault of the program.
func Named(name string, r Resources, o settings.Options) Step {
	steps := Steps(r, o)
	return steps[slices.IndexFunc(steps, func(s Step) bool { return s.Name == name })]
}

// Steps returns the table of all functions: those of the state machine in its order, then the others. Sizes are from
// measurement, on 5 million ratings: the largest peak of memory was 63 MiB, so 512 MiB is for CPU and for S3 and database
// buffers.
func Steps(r Resources, o settings.Options) []Step {
	return []Step{
		{
			Name: "plan-extract", RunBy: StateMachine, MemoryMiB: 512, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.PlanExtract{Lake: r.Lake, Source: r.Source, ShopFile: r.ShopFile, Ranges: o.Ranges, Layout: o.Layout, Shrinkage: o.Shrinkage},
			Rights:   planRights,
		},
		{
			Name: "extract", RunBy: StateMachine, MemoryMiB: 512, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.Extract{Lake: r.Lake, Source: r.Source},
			Rights:   extractRights,
		},
		{
			Name: "transform", RunBy: StateMachine, MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.Transform{Lake: r.Lake},
			Rights:   transformRights,
		},
		{ // It waits for S3, sixteen puts at once: an object a customer.
			Name: "partition-write", RunBy: StateMachine, MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.PartitionWrite{Lake: r.Lake, Partitions: o.Partitions},
			Rights:   partitionRights,
		},
		{
			Name: "publish-training-data", RunBy: StateMachine, MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.PublishTrainingData{Lake: r.Lake, GlueDatabase: r.GlueDatabase, Publishing: o.Publishing, Shrinkage: o.Shrinkage},
			Rights:   publishRights,
		},
		{
			Name: "train", RunBy: StateMachine, MemoryMiB: o.TrainMemoryMiB, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.Train{Lake: r.Lake, Artifacts: r.Artifacts, HoldOut: o.HoldOut, Training: o.Training, Search: o.Search, WhenToTrain: o.WhenToTrain, Sizes: o.Sizes},
			Rights:   trainRights,
		},
		{ // It waits for PostgreSQL, and reads the lake's ranges, one after the other. Its /tmp holds the catalogue.
			Name: "embedding-upload", RunBy: StateMachine, MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.EmbeddingUpload{Lake: r.Lake, Artifacts: r.Artifacts, VectorStore: r.Loader, HandOver: o.HandOver},
			Rights:   uploadRights,
		},
		{ // All ratings and both sides' vectors are in its memory. 3,008 is a new account's quota.
			Name: "evaluate", RunBy: StateMachine, MemoryMiB: 3008, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.Evaluate{Lake: r.Lake, Artifacts: r.Artifacts, VectorStore: r.Loader, HoldOut: o.HoldOut, Gate: o.Gate},
			Rights:   evaluateRights,
		},
		{ // It waits for PostgreSQL.
			Name: "vector-index", RunBy: StateMachine, MemoryMiB: 512, Timeout: longest,
			Settings: settings.VectorIndex{Artifacts: r.Artifacts, VectorStore: r.Loader, Index: o.Index},
			Rights:   indexRights,
		},
		{ // All items and their scores for 64 customers a core are in its memory. It also waits for PostgreSQL.
			Name: "export", RunBy: StateMachine, MemoryMiB: 3008, Timeout: longest, ScratchMiB: rangeScratchMiB,
			Settings: settings.Export{Lake: r.Lake, Artifacts: r.Artifacts, VectorStore: r.Reader, Ranking: o.Ranking, Exporting: o.Exporting, GlueDatabase: r.GlueDatabase},
			Rights:   exportRights,
		},
		// It answers a batch of 500 in well under a second on one core, from 17 MiB of memory and the catalogues of two
		// versions. One of 50,000 products takes 55 MB (128 numbers each), and 97 MB with 100 neighbours each. The time-out is
		// far above the time of a batch, and far below Kinesis's patience.
		{
			Name: "recommend", RunBy: Stream, MemoryMiB: 1024, Timeout: time.Minute,
			Settings: settings.Recommend{Artifacts: r.Artifacts, VectorStore: r.Reader, Ranking: o.Ranking, Patience: o.Patience,
				RecommendationsBucket: r.RecommendationsBucket, DeliveryStream: r.DeliveryStream, EventBus: r.EventBus},
			Rights: recommendRights,
		},
		{ // A request waits for the database.
			Name: "api", RunBy: Gateway, MemoryMiB: 1024, Timeout: GatewayTimeout,
			Settings: settings.API{Lake: r.Lake, Artifacts: r.Artifacts, VectorStore: r.Reader, Ranking: o.Ranking, Requests: o.Requests},
			Rights:   apiRights,
		},
		{
			Name: "bootstrap-vector-store", RunBy: Deployment, MemoryMiB: 256, Timeout: 5 * time.Minute,
			Settings: settings.BootstrapVectorStore{VectorStore: r.Owner},
			Rights:   []Right{{On: VectorsAsOwner}},
		},
		{
			Name: "load-sample-shop", RunBy: Deployment, MemoryMiB: 512, Timeout: longest,
			Settings: sampleShop(r),
			Rights:   []Right{{On: SourceAsAdministrator}},
		},
	}
}

// sampleShop has the sample's defaults, but for its names.
func sampleShop(r Resources) settings.LoadSampleShop {
	s := settings.LoadSampleShop{Source: r.Administrator, SampleShop: settings.Default[settings.SampleShop](), Reader: r.SourceReader}
	s.Database = r.SourceDatabase
	return s
}

// RecommendConnections is the size of recommend's pool: two searches at once, and two to spare. The connections of
// the vector database bound how many calls there may be at once.
const RecommendConnections = 4

// GatewayTimeout is the time of a request. API Gateway allows 30 s. Option apiTimeout is shorter, so a degraded answer has the rest.
const GatewayTimeout = 25 * time.Second

// APIConnections is the size of api's pool, as RecommendConnections.
const APIConnections = 4

// BisectBatchOnFunctionError halves a batch that recommend did not answer at all.
const BisectBatchOnFunctionError = true

func keys(keys ...string) []string { return keys }

func on(bucket Resource, keys []string, actions ...string) Right { return Right{bucket, keys, actions} }

func list(bucket Resource) Right { return Right{On: bucket, Actions: []string{ListBucket}} }

// The rights of each function are the calls that it makes when the pipeline runs. Two tests compare them with a
// recording of a run on one machine (infra/testdata/recorded-calls.json).
var (
	planRights = []Right{
		on(LakeBucket, keys(lake.PlanKey("*"), lake.ShapeKey("*")), GetObject, PutObject),
		on(LakeBucket, keys(lake.SourcePrefix+"*"), GetObject), // a shop in files, which it parts into ranges
		on(LakeBucket, keys(lake.RawPrefix("*")+"*"), PutObject),
		on(LakeBucket, keys(lake.ManifestKey("*")), GetObject), // is a snapshot of this name there already?
		on(LakeBucket, keys(lake.LatestKey), GetObject),        // how large is the active snapshot?
		list(LakeBucket),
		{On: SourceAsReader},
	}
	extractRights = []Right{
		on(LakeBucket, keys(lake.ShapeKey("*")), GetObject),
		on(LakeBucket, keys(lake.RawPrefix("*")+"*"), GetObject, PutObject), // plan-extract has written those of a shop in files
		{On: SourceAsReader},
	}
	transformRights = []Right{
		on(LakeBucket, keys(anyRun), GetObject, PutObject),
		on(LakeBucket, keys(anyRange), PutObject),
	}
	partitionRights = []Right{
		on(LakeBucket, keys(lake.ShapeKey("*"), anyRange), GetObject),
		on(LakeBucket, keys(anyRun, anySnapshot), PutObject),
	}
	publishRights = []Right{
		on(LakeBucket, keys(anyRun), GetObject),
		on(LakeBucket, keys(lake.PlanKey("*")), DeleteObject),
		on(LakeBucket, keys(anyRange, anySnapshot), GetObject, PutObject, DeleteObject),
		list(LakeBucket),
		{On: TrainingTable, Actions: []string{"glue:CreateTable", "glue:UpdateTable"}},
	}
	trainRights = []Right{
		on(LakeBucket, keys(lake.LatestKey, lake.ManifestKey("*"), anyRange), GetObject),
		on(LakeBucket, keys(lake.TrainingPlanKey("*"), lake.TrainedKey("*")), GetObject, PutObject),
		on(LakeBucket, keys(lake.CheckpointsPrefix("*")+"*"), GetObject, PutObject, DeleteObject),
		list(LakeBucket),
		on(ArtifactsBucket, keys(lake.SuccessKey), GetObject), // is something handed over?
		on(ArtifactsBucket, keys(anyTrained), PutObject),
		list(ArtifactsBucket),
	}
	uploadRights = []Right{
		// S3 copies an object with its tags, if it has any.
		on(ArtifactsBucket, slices.Concat(keys(lake.SuccessKey), lake.HandedOver, keys(anyTrained)), GetObject, "s3:GetObjectTagging"),
		on(ArtifactsBucket, keys(anyVersion), GetObject, PutObject, DeleteObject, "s3:PutObjectTagging"),
		list(ArtifactsBucket),
		on(LakeBucket, keys(lake.LatestKey, lake.ManifestKey("*"), anyRange), GetObject),
		list(LakeBucket),
		{On: VectorsAsLoader},
	}
	evaluateRights = []Right{
		on(LakeBucket, keys(lake.LatestKey, lake.ManifestKey("*"), anyRange), GetObject),
		on(LakeBucket, keys(anyReport), PutObject),
		list(LakeBucket),
		on(ArtifactsBucket, keys(anyVersion), GetObject, DeleteObject),
		list(ArtifactsBucket),
		{On: VectorsAsLoader},
	}
	indexRights = []Right{
		on(ArtifactsBucket, keys(anyVersion), DeleteObject),
		list(ArtifactsBucket),
		{On: VectorsAsLoader},
	}
	exportRights = []Right{
		on(LakeBucket, keys(anyExport), GetObject, PutObject, DeleteObject),
		list(LakeBucket),
		on(ArtifactsBucket, keys(anyVersion), GetObject),
		list(ArtifactsBucket),
		{On: VectorsAsReader},
		{On: ExportTables, Actions: []string{"glue:CreateTable", "glue:UpdateTable"}},
	}
	recommendRights = []Right{
		on(ArtifactsBucket, keys(anyVersion), GetObject),
		list(ArtifactsBucket), // a model that is gone with its version: it asks again, or answers without
		on(RecommendationsBucket, keys(anyRejected), PutObject),
		{On: VectorsAsReader},
		{On: DeliveryStream, Actions: []string{"firehose:PutRecordBatch"}},
		{On: EventBus, Actions: []string{PutEvents}},
		{On: ActivityStream, Actions: []string{
			"kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"}},
		// The event source mapping writes failed batches under the function's role.
		on(RecommendationsBucket, keys(lake.FailedPrefix+"*"), PutObject),
		list(RecommendationsBucket),
	}
	apiRights = []Right{
		on(ArtifactsBucket, keys(anyVersion), GetObject),
		list(ArtifactsBucket),
		on(LakeBucket, keys(lake.LatestKey, lake.PopularityKey("*")), GetObject), // popular products, if the database is away
		{On: VectorsAsReader},
	}
)
