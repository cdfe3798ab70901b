package metrics

// Namespace holds the functions' metrics in CloudWatch.
const Namespace = "Recsys"

// FunctionDimension is the one dimension: the function's deployed name (lambdacontext.FunctionName), as in AWS's own
// namespace AWS/Lambda, so that two stacks in one account do not add up.
const FunctionDimension = "FunctionName"

// Names of the metrics. Each function sends its own. infra draws and watches them.
const (
	Rows            = "Rows"            // count: rows that the step is done with
	RejectedRows    = "RejectedRows"    // count: rows of the source that went to quarantine
	Seconds         = "Seconds"         // the step's own work on one call
	Recall          = "Recall"          // recall@10 of the version's index, 0 to 1
	NDCG            = "NDCG"            // NDCG@10 of a version on held-out ratings, 0 to 1
	HeldOutRecall   = "HeldOutRecall"   // recall@10 of the same, as are the next three at the list's length of 10
	MRR             = "MRR"             // mean reciprocal rank, 0 to 1
	Coverage        = "Coverage"        // share of the catalogue in anyone's list, 0 to 1
	Novelty         = "Novelty"         // mean self-information of the recommended items, in bits
	NotPromoted     = "NotPromoted"     // count: versions that the gate has refused
	Records         = "Records"         // count: activity records answered
	RejectedRecords = "RejectedRecords" // count: activity records put under rejected/
	DegradedAnswers = "DegradedAnswers" // count: answers of popular products in place of the database's
	UndoneRecords   = "UndoneRecords"   // count: Kinesis records of a batch that Kinesis delivers again
)

// Answers is the metric that counts the records answered by one strategy.
func Answers[Strategy ~string](strategy Strategy) string { return "Answers-" + string(strategy) }
