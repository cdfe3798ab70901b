// Package statemachines holds the workflow's definition, as AWS and the local engine are both given it.
//
// The definition stays in the part of the Amazon States Language that both execute: JSONPath, no Assign, tasks as
// arn:aws:states:::lambda:invoke, an INLINE Map. Package workflow defines the payloads of its states. The errors that
// it does not retry are failure.Permanent.
package statemachines

import _ "embed"

// Batch is the definition of the batch workflow, with a ${…} for each of workflow.Placeholders.
//
//go:embed batch.asl.json
var Batch []byte
