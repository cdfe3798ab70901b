// Package statemachines holds the workflow's definition, as AWS and the local engine are both given it.
//
// The definition stays in the part of the Amazon States Language that both execute: JSONPath, no Assign, tasks as
// arn:aws:states:::lambda:invoke, an INLINE Map. What its states hand to each other is package workflow's; the
// errors that it does not retry are failure.Permanent.
package statemachines

import _ "embed"

// Batch is the definition of the batch workflow, with a ${…} for each of Functions.
//
//go:embed batch.asl.json
var Batch []byte

// Functions maps every substitution in Batch to the folder of its function under functions/.
var Functions = map[string]string{
	"PlanExtractFunction":         "plan-extract",
	"ExtractFunction":             "extract",
	"TransformFunction":           "transform",
	"PartitionWriteFunction":      "partition-write",
	"PublishTrainingDataFunction": "publish-training-data",
	"TrainFunction":               "train",
	"EmbeddingUploadFunction":     "embedding-upload",
	"EvaluateFunction":            "evaluate",
	"VectorIndexFunction":         "vector-index",
}
