package workflow

import (
	"slices"
	"time"

	"recsys/shared/contract/settings"
)

// Step is a function and what it runs on. infra deploys it so, and infra/local runs it so.
type Step struct {
	// Name is the function's, and its folder's in functions/.
	Name string
	// MemoryMiB buys CPU, too: 1,769 are one core.
	MemoryMiB int
	// Timeout bounds a call.
	Timeout time.Duration
	// ScratchMiB is the size of its /tmp. Default: the 512 that cost nothing.
	ScratchMiB int
}

const (
	// longest is the most time that Lambda gives a call. The workflow's own time-out is a little longer.
	longest = 15 * time.Minute
	// rangeScratchMiB holds one range's Parquet before and after. It is 200 bytes a row, twice over, for the largest
	// ranges that the configuration allows: 5 million rows. It costs next to nothing.
	rangeScratchMiB = 2048
)

// steps has sizes from measurement, on 5 million ratings. The largest peak of memory was 63 MiB, so 512 MiB is for CPU
// and for S3 and database buffers. embedding-upload and vector-index wait for PostgreSQL. embedding-upload reads the lake's
// ranges, too, one after the other.
var steps = []Step{
	{Name: "plan-extract", MemoryMiB: 512, Timeout: longest},
	{Name: "extract", MemoryMiB: 512, Timeout: longest, ScratchMiB: rangeScratchMiB},
	{Name: "transform", MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB},
	// An object a customer: it waits for S3, sixteen puts at once.
	{Name: "partition-write", MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB},
	{Name: "publish-training-data", MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB},
	// 3,008 is a new account's quota.
	{Name: train, MemoryMiB: 3008, Timeout: longest, ScratchMiB: rangeScratchMiB},
	{Name: "embedding-upload", MemoryMiB: 1024, Timeout: longest, ScratchMiB: rangeScratchMiB},
	// All ratings and both sides' vectors are in its memory.
	{Name: "evaluate", MemoryMiB: 3008, Timeout: longest, ScratchMiB: rangeScratchMiB},
	{Name: "vector-index", MemoryMiB: 512, Timeout: longest},
}

const train = "train"

// Steps returns the functions of the state machine, in its order.
func Steps(sizes settings.Sizes) []Step {
	sized := slices.Clone(steps)
	for i := range sized {
		if sized[i].Name == train && sizes.TrainMemoryMiB != 0 {
			sized[i].MemoryMiB = sizes.TrainMemoryMiB
		}
	}
	return sized
}

// Recommend answers the stream. It answers a batch of 500 in well under a second on one core, from 17 MiB of memory and
// the models of two versions. Its time is bounded far above that, and far below what Kinesis would wait for.
var Recommend = Step{Name: "recommend", MemoryMiB: 1024, Timeout: time.Minute}

// RecommendConnections is the size of recommend's pool: two searches at once, and two to spare. What the vector database
// takes bounds how many calls there may be at once.
const RecommendConnections = 4

// BisectBatchOnFunctionError halves a batch that recommend did not answer at all.
const BisectBatchOnFunctionError = true
