package deployment

import (
	"strconv"
	"strings"

	"recsys/shared/contract/workflow"
)

// MemoryGiB is the memory of an RDS instance type such as t4g.small or r8g.2xlarge, or 0 if its size is unknown.
// https://aws.amazon.com/rds/instance-types/
func MemoryGiB(instance string) int {
	family, size, _ := strings.Cut(instance, ".")
	large := 8 // of m and t families
	if strings.HasPrefix(family, "r") {
		large = 16
	}
	switch size {
	case "micro":
		return 1
	case "small":
		return 2
	case "medium":
		return large / 2
	case "large":
		return large
	case "xlarge":
		return 2 * large
	}
	times, err := strconv.Atoi(strings.TrimSuffix(size, "xlarge"))
	if err != nil {
		return 0
	}
	return 2 * large * times
}

// IsBurstable reports a small instance. IAM authentication takes a noticeable part of its memory.
func IsBurstable(instance string) bool { return strings.HasPrefix(instance, "t") }

// MaxVectorConnections is max_connections of the vector database. A connection takes about 10 MB at work, so that a
// fifth of a small server is left for them.
func MaxVectorConnections(instance string) int {
	return min(max(50*MemoryGiB(instance), 100), 1000)
}

// reservedConnections are for the workflow, for people and for PostgreSQL's own superuser.
const reservedConnections = 20

// maxCalls is how many calls of recommend at once the vector database has connections for.
func maxCalls(instance string) int {
	return (MaxVectorConnections(instance) - reservedConnections) / workflow.RecommendConnections
}
