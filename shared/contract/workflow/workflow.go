// Package workflow holds the payloads of the states of statemachines/batch.asl.json.
//
// Only references and counts travel, never rows: a state's payload is at most 262,144 bytes on AWS.
// Object keys follow from the run and the range (package lake), so they do not travel either.
package workflow

import (
	"encoding/json"
	"regexp"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

// Run names one execution of the state machine.
type Run struct {
	// ID is the execution's name: 1 to 80 letters, digits, '-' and '_'.
	ID string `json:"run"`
	// StartedAt is when the execution started: it orders runs, so that an older one never replaces a newer one's work.
	StartedAt time.Time `json:"startedAt"`
}

var runID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// Validate reports a run that could not be a folder's name or cannot be ordered, because it has no start or one to come.
func (r Run) Validate() error {
	if !runID.MatchString(r.ID) {
		return failure.Invalidf("run %q: want 1 to 80 letters, digits, '-' or '_' (the execution's name)", r.ID)
	}
	if r.StartedAt.IsZero() {
		return failure.Invalidf("run %s: startedAt is missing (the execution's start time)", r.ID)
	}
	if Ahead(r.StartedAt) {
		return failure.Invalidf("run %s starts at %s, which is %v ahead of this function's clock: set the clocks right and start a run of another name",
			r.ID, r.StartedAt.UTC().Format(time.RFC3339), time.Until(r.StartedAt).Round(time.Second))
	}
	return nil
}

// PlanInput is the input of plan-extract.
type PlanInput struct {
	Run
	// Input is the execution's own: plan-extract is the first step wherever a mistyped key leads, and refuses it.
	Input json.RawMessage `json:"input,omitempty"`
}

// Validate reports a run or an execution's input that is not of the contract.
func (in PlanInput) Validate() error {
	if err := in.Run.Validate(); err != nil {
		return err
	}
	if len(in.Input) == 0 {
		return nil
	}
	return CheckInput(in.Input)
}

// ExecutionInput is the input of an execution. {} is complete.
type ExecutionInput struct {
	// Stages is "all" (default), "training-data" or "embeddings".
	Stages string `json:"stages"`
	// Train asks for a model of our own, or for none. Default: as functions/train is configured.
	Train *bool `json:"train"`
	// Rollback goes back to the version before. It goes alone.
	Rollback bool `json:"rollback"`
	// Activate makes a kept version the active one, by its number. It goes alone.
	Activate *int64 `json:"activate"`
	// AcceptShrunkSource publishes a snapshot although its source has shrunk, see failure.SourceShrank.
	AcceptShrunkSource bool `json:"acceptShrunkSource"`
}

// CheckInput reports an execution's input that is no JSON object, or that has a key which nobody reads.
func CheckInput(input []byte) error {
	_, err := ParseInput(input)
	return err
}

// ParseInput reads an execution's input. Errors: InvalidInput, for input that is not a JSON object, an unknown key,
// and a combination that cannot be.
func ParseInput(input []byte) (ExecutionInput, error) {
	var parsed ExecutionInput
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(input, &keys); err != nil || keys == nil {
		return parsed, failure.Invalidf("the execution's input must be a JSON object, such as {}")
	}
	for key := range keys {
		switch key {
		case "stages", "train", "rollback", "activate", "acceptShrunkSource", "Comment":
		default:
			return parsed, failure.Invalidf("the execution's input has the key %.40q: known are stages, train, rollback, activate, acceptShrunkSource and Comment", key)
		}
	}
	if err := json.Unmarshal(input, &parsed); err != nil {
		return parsed, failure.Invalidf("the execution's input: stages is a string, activate is a number, and train, rollback and acceptShrunkSource are true or false")
	}
	switch parsed.Stages {
	case "", "all", "training-data", "embeddings":
	default:
		return parsed, failure.Invalidf("stages %.40q: want all, training-data or embeddings", parsed.Stages)
	}
	if parsed.Train != nil && (parsed.Rollback || *parsed.Train && parsed.Stages == "training-data") {
		return parsed, failure.Invalidf("train goes with the stages all and embeddings, not with training-data alone or a rollback")
	}
	if parsed.AcceptShrunkSource && (parsed.Rollback || parsed.Stages == "embeddings") {
		return parsed, failure.Invalidf("acceptShrunkSource goes with the stages all and training-data, not with embeddings alone or a rollback")
	}
	if parsed.Activate != nil && (*parsed.Activate < 1 || len(keys) > 1 && !(len(keys) == 2 && keys["Comment"] != nil)) {
		return parsed, failure.Invalidf("activate is the number of a version, 1 and up, and goes alone")
	}
	return parsed, nil
}

// Range is a span of customers by their key in the source: above After, up to and including UpTo. A nil end is open.
// Customers without a key (NULL) belong to the first range. MySQL alone compares keys, so the bounds mean nothing to
// steps other than plan-extract and extract.
type Range struct {
	Index int     `json:"index"` // 0-based, in the names of the range's objects
	After *string `json:"after"`
	UpTo  *string `json:"upTo"`
}

// RangeInput is the input of extract, transform and partition-write.
type RangeInput struct {
	Run
	Range Range `json:"range"`
}

// Validate reports a run without a name or a range that no plan holds.
func (in RangeInput) Validate() error {
	if err := in.Run.Validate(); err != nil {
		return err
	}
	after, upTo := in.Range.After, in.Range.UpTo
	if in.Range.Index < 0 || after != nil && upTo != nil && *after == *upTo {
		return failure.Invalidf("run %s: range %d is none of a plan (want an index from 0 and after below upTo)", in.ID, in.Range.Index)
	}
	return nil
}

// Plan is the output of plan-extract, and the content of runs/<run>/plan.json.
type Plan struct {
	Run
	Ranges         []Range `json:"ranges"`         // in ascending order, together covering every customer
	MaxConcurrency int     `json:"maxConcurrency"` // how many ranges are worked on at once
	EstimatedRows  int64   `json:"estimatedRows"`  // ratings counted while planning
	// Source and Products are the source's parts of a lake.Size. AcceptShrunkSource is the execution's.
	Source             string `json:"source"`
	Products           int64  `json:"products"`
	AcceptShrunkSource bool   `json:"acceptShrunkSource"`
	// Comparison names the basis of the source's comparison, see package sourcesize.
	Comparison string `json:"comparison"`
	// Warnings are about the source in words, such as an index that is missing.
	Warnings []string `json:"warnings,omitempty"`
}

// Extracted is the output of extract: rows read from the source.
type Extracted struct {
	Ratings   int64 `json:"ratings"`
	Customers int64 `json:"customers"`
	Products  int64 `json:"products"`
}

// Transformed is the output of transform: training rows written, rows put into quarantine, and rows that are normal in the
// shop and were left out.
type Transformed struct {
	Rows     int64 `json:"rows"`
	Rejected int64 `json:"rejected"`
	Skipped  int64 `json:"skipped,omitempty"`
}

// Partitioned is the output of partition-write.
type Partitioned struct {
	Partitions int64 `json:"partitions"`
	Rows       int64 `json:"rows"`
}

// Published is the output of publish-training-data.
type Published struct {
	// Status is "published", or "superseded" when a newer run published first: then nothing is counted.
	Status string `json:"status"`
	// Reason says in words which run has superseded this one. "" otherwise.
	Reason     string `json:"reason,omitempty"`
	Snapshot   string `json:"snapshot"`
	Partitions int64  `json:"partitions"` // objects of the data set
	Rows       int64  `json:"rows"`
	Rejected   int64  `json:"rejected"`
	Skipped    int64  `json:"skipped,omitempty"` // rows that are normal in the shop and were left out
	// Comparison is that of the plan.
	Comparison string `json:"comparison,omitempty"`
}

// TrainInput is the input of train.
type TrainInput struct {
	Run
	// Input is the execution's own.
	Input json.RawMessage `json:"input"`
}

// Trained is the output of train.
type Trained struct {
	// Status is "trained", "not-asked", "handed-over", "superseded", "no-training-data" or "too-few-ratings".
	// "handed-over" means that training was not asked for and a hand-over is there to be loaded. "superseded" means
	// that it was not asked for either, and a newer snapshot was published meanwhile.
	Status string `json:"status"`
	// Artifacts is the prefix, in the artifacts bucket, of the trained artifacts: see lake.TrainedPrefix. ""
	// otherwise.
	Artifacts  string  `json:"artifacts"`
	Snapshot   string  `json:"snapshot"`
	Customers  int     `json:"customers"`
	Items      int     `json:"items"`
	Ratings    int64   `json:"ratings"`
	Iterations int     `json:"iterations"`
	Loss       float64 `json:"loss"` // after the last iteration
}

// UploadInput is the input of embedding-upload.
type UploadInput struct {
	Run
	// Artifacts is the prefix of the trained artifacts. "": the handed-over ones.
	Artifacts string `json:"artifacts"`
	// Refresh brings the active version up to the newest snapshot, and loads nothing.
	Refresh bool `json:"refresh,omitempty"`
}

// Uploaded is the output of embedding-upload.
type Uploaded struct {
	// Status is "uploaded", "unchanged", "rolled-back", "no-artifacts" or "hand-over-underway". "unchanged" means
	// that these artifacts are the active version's, or that a version that was trained since has replaced them.
	// "rolled-back" means that they are those of Version, which was rolled back, so another stays active.
	// "hand-over-underway" means that an artifact is newer than _SUCCESS. Its arrival will start a run of its own.
	// "refreshed" means that nothing was to be loaded.
	Status    string `json:"status"`
	Version   int64  `json:"version,omitempty"`
	Dimension int    `json:"dimension,omitempty"`
	Items     int64  `json:"items,omitempty"`
	Users     int64  `json:"users,omitempty"`
	Compared
}

// Compared is how the artifacts that were handed over compare with the newest snapshot of the shop.
type Compared struct {
	// UnknownItems are ids that are no product of the shop.
	UnknownItems int64 `json:"unknownItems,omitempty"`
	// UnknownUsers are ids of no customer who has rated something.
	UnknownUsers int64 `json:"unknownUsers,omitempty"`
	// ModelChecked is the number of sampled customers. ModelDiffers is the number of them with another vector by the
	// model than by the hand-over.
	ModelChecked int `json:"modelChecked,omitempty"`
	ModelDiffers int `json:"modelDiffers,omitempty"`
	// Note names the faults in words, or the reason why nothing was compared.
	Note string `json:"note,omitempty"`
}

// EvaluateInput is the input of evaluate: a version that is loaded and not yet active.
type EvaluateInput struct {
	Run
	Version int64 `json:"version"`
}

// Evaluated is the output of evaluate.
type Evaluated struct {
	// Status is "passed", "not-promoted", "reported", "not-evaluated" or "superseded". "not-promoted" means that the
	// gate refuses the version, and the active one stays. "reported" means that it would not have passed, and the
	// gate only reports. "not-evaluated" means that there is nothing to measure it with. "superseded" means that a
	// newer version is active, which vector-index will report.
	Status string `json:"status"`
	// Promote says whether the version may become active.
	Promote bool   `json:"promote"`
	Version int64  `json:"version"`
	Reason  string `json:"reason"` // in words
	// NDCG10 is the version's NDCG@10, Popularity10 and Random10 those of the baselines. Active10 is the active
	// version's, or 0.
	NDCG10       float64 `json:"ndcg10"`
	Popularity10 float64 `json:"popularity10"`
	Random10     float64 `json:"random10"`
	Active10     float64 `json:"active10"`
	Report       string  `json:"report"` // s3://… of the page, or ""
}

// IndexInput is the input of vector-index. It has one of the three.
type IndexInput struct {
	Run
	Version  int64 `json:"version,omitempty"`  // index it and activate it, unless a newer one is active
	Activate int64 `json:"activate,omitempty"` // activate this kept version, older or newer than the active one
	Rollback bool  `json:"rollback,omitempty"` // activate the version before
}

// Validate reports a run without a name, or not exactly one wish.
func (in IndexInput) Validate() error {
	wishes := 0
	for _, wished := range []bool{in.Version > 0, in.Activate > 0, in.Rollback} {
		if wished {
			wishes++
		}
	}
	if wishes != 1 || in.Version < 0 || in.Activate < 0 {
		return failure.Invalidf("want one of version and activate, 1 and up, and rollback: true, got version %d, activate %d, rollback %t", in.Version, in.Activate, in.Rollback)
	}
	return in.Run.Validate()
}

// Indexed is the output of vector-index.
type Indexed struct {
	// Status is "activated", "superseded" (a newer version is active) or "rolled-back".
	Status   string  `json:"status"`
	Reason   string  `json:"reason,omitempty"` // of "superseded", in words
	Version  int64   `json:"version"`          // the version that is active now
	Recall   float64 `json:"recall"`           // recall@10 against exact search
	EfSearch int     `json:"efSearch"`
}

// Parts of an export, see ExportInput.
const (
	PlanExport    = "plan"
	ExportRange   = "range"
	PublishExport = "publish"
)

// ExportInput is the input of export.
type ExportInput struct {
	Run
	// Do is the part to do: PlanExport, ExportRange or PublishExport.
	Do string `json:"do"`
	// Range is of the plan. Only ExportRange has one.
	Range *ListRange `json:"range,omitempty"`
}

// Validate reports a run without a name, and a part that is none.
func (in ExportInput) Validate() error {
	if err := in.Run.Validate(); err != nil {
		return err
	}
	switch in.Do {
	case PlanExport, PublishExport:
		return nil
	case ExportRange:
		if in.Range != nil && in.Range.Index >= 0 {
			return nil
		}
	}
	return failure.Invalidf("run %s: the part %.40q of an export, with the range %+v, is none", in.ID, in.Do, in.Range)
}

// ListRange is a span of the customers or products that an export has lists of: above After, up to and including UpTo, in the
// order of the vector database. A nil end is open.
type ListRange struct {
	List  string  `json:"list"` // lake.ExportedCustomers or lake.ExportedProducts
	Index int     `json:"index"`
	After *string `json:"after"`
	UpTo  *string `json:"upTo"`
}

// ExportPlan is the output of export for PlanExport. If there is something to export it is also the content of
// lake.ExportPlanKey.
type ExportPlan struct {
	Run
	// Status is "planned", "off", "no-version", "no-catalogue" or "superseded". "no-catalogue" means that an earlier release has
	// loaded the active version, which cannot be searched exactly. "superseded" means that a newer run has exported.
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"` // in words, if nothing is exported
	// Version is the active one, and Snapshot that which its purchases and stock are of.
	Version        int64       `json:"version"`
	Snapshot       string      `json:"snapshot"`
	Limit          int         `json:"limit"`
	Format         string      `json:"format"`
	CustomerType   shape.Type  `json:"customerType"` // of the customers' ids
	Ranges         []ListRange `json:"ranges"`
	MaxConcurrency int         `json:"maxConcurrency"` // how many ranges are worked on at once
}

// Exported is the output of export for ExportRange and PublishExport.
type Exported struct {
	// Status is "written" of a range and "published" of an export. "superseded" means that another version has become active, or
	// that a newer run has exported. Then nothing is counted.
	Status   string `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Version  int64  `json:"version"`
	Snapshot string `json:"snapshot"`
	// Customers and Products have a list each.
	Customers int64  `json:"customers"`
	Products  int64  `json:"products"`
	Rows      int64  `json:"rows"`
	Location  string `json:"location"` // s3://…
}
