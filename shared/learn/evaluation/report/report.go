// Package report shows the result of an evaluation: JSON for programs, one HTML page and an SVG picture for people.
//
// Promise: the same figures give the same bytes. The page and the picture load nothing and run nothing. Texts from settings
// and artifacts are escaped, and cut when they are too long.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"recsys/shared/contract/lake"
	contract "recsys/shared/contract/shape"
	"recsys/shared/learn/evaluation"
)

// ReportFormat is the version of the report's JSON. It is raised when a field changes its meaning or goes.
const ReportFormat = 1

// Report is the result of an evaluation: JSON for programs, a page for people.
type Report struct {
	Format      int       `json:"format"` // ReportFormat. Set when the report is written
	Run         string    `json:"run"`
	Snapshot    string    `json:"snapshot"`    // the run that published the ratings
	EvaluatedAt time.Time `json:"evaluatedAt"` // the start of the run: all its attempts write the same report

	Shop    Shop      `json:"shop,omitzero"`
	HoldOut HoldOut   `json:"holdOut"`
	Options []Option  `json:"options,omitempty"` // of the training, in order. None for handed-over artifacts
	Loss    []float64 `json:"loss,omitempty"`    // after each iteration of the training, where it is known

	// Search is how the options were found, nil if they were given.
	Search *lake.Search `json:"search,omitempty"`

	Candidate  evaluation.Contender  `json:"candidate"`
	Active     *evaluation.Contender `json:"active,omitempty"` // nil: no version was active
	Popularity evaluation.Result     `json:"popularity"`
	Random     evaluation.Result     `json:"random"`
	Neighbours *evaluation.Result    `json:"neighbours,omitempty"` // of item kNN. nil: the shop is too large for it

	Decision evaluation.Decision `json:"decision"`
	Remarks  []string            `json:"remarks,omitempty"` // more than those of the decision
}

// HoldOut is how the interactions were parted, see lake.HoldOut.
type HoldOut struct {
	Seed      uint64    `json:"seed,string"`
	Fraction  float64   `json:"fraction"` // of the interactions, 0 to 1
	By        string    `json:"by,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	Remaining int       `json:"remaining"` // pairs that were not held out
}

// Shop is how much the snapshot holds.
type Shop struct {
	Customers    int              `json:"customers"` // with interactions
	Products     int              `json:"products"`
	Interactions map[string]int64 `json:"interactions,omitempty"` // by type
}

// Unit names the pairs of customers and products: ratings, if the shop has nothing else.
func (s Shop) Unit() string {
	for name := range s.Interactions {
		if name != contract.Rating {
			return "pairs"
		}
	}
	return "ratings"
}

// Option is one setting of the training.
type Option struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// WriteJSON writes the report as indented JSON. Texts and lists that are too long are cut.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r.bounded()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// Bounds of a report, because its texts come from settings and artifacts.
const (
	longestName    = 100 // runes
	longestRemark  = 1000
	longestReason  = 4000
	mostOptions    = 100
	mostRemarks    = 50
	mostChecks     = 10
	mostIterations = 1000
	mostTypes      = 20
)

// bounded is the report within its limits. The loss ends before the first value that is no number, which JSON cannot hold.
func (r *Report) bounded() *Report {
	b := *r
	b.Format = ReportFormat
	b.EvaluatedAt = r.EvaluatedAt.UTC().Truncate(time.Second)
	b.Run, b.Snapshot = clip(r.Run, longestName), clip(r.Snapshot, longestName)
	b.HoldOut.By, b.Shop.Interactions = clip(r.HoldOut.By, longestName), mostCommon(r.Shop.Interactions)
	b.Options = nil
	for _, o := range r.Options[:min(len(r.Options), mostOptions)] {
		b.Options = append(b.Options, Option{clip(o.Name, longestName), clip(o.Value, longestName)})
	}
	b.Remarks, b.Loss = clipAll(r.Remarks), r.Loss[:min(len(r.Loss), mostIterations)]
	for i, loss := range b.Loss {
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			b.Loss = b.Loss[:i]
			b.Remarks = append(b.Remarks, fmt.Sprintf("The loss of iteration %d is no number: it is shown up to there.", i+1))
			break
		}
	}
	b.Search = boundedSearch(r.Search)
	b.Candidate.Result.ByAge = r.Candidate.Result.ByAge[:min(len(r.Candidate.Result.ByAge), len(evaluation.Ages))]
	b.Candidate.Origin = evaluation.Origin(clip(string(r.Candidate.Origin), longestName))
	if r.Active != nil {
		active := *r.Active
		active.Origin = evaluation.Origin(clip(string(active.Origin), longestName))
		b.Active = &active
	}
	b.Decision.Checks = []evaluation.Check{}
	for _, c := range r.Decision.Checks[:min(len(r.Decision.Checks), mostChecks)] {
		c.Name, c.Against, c.Why = clip(c.Name, longestName), clip(c.Against, longestName), clip(c.Why, longestRemark)
		b.Decision.Checks = append(b.Decision.Checks, c)
	}
	b.Decision.Reason, b.Decision.Remarks = clip(r.Decision.Reason, longestReason), clipAll(r.Decision.Remarks)
	return &b
}

// mostCommon returns the types with the most interactions.
func mostCommon(interactions map[string]int64) map[string]int64 {
	var common map[string]int64
	for i, name := range byCount(interactions) {
		if i == 0 {
			common = map[string]int64{}
		}
		if i < mostTypes {
			common[clip(name, longestName)] = interactions[name]
		}
	}
	return common
}

// byCount returns the types, those with the most interactions first.
func byCount(interactions map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(interactions), func(a, b string) int {
		return cmp.Or(cmp.Compare(interactions[b], interactions[a]), cmp.Compare(a, b))
	})
}

// boundedSearch drops a search with more trials than a page shows, or with a figure that JSON cannot hold.
func boundedSearch(s *lake.Search) *lake.Search {
	if s == nil || len(s.Trials) > mostTrials {
		return nil
	}
	for _, t := range s.Trials {
		n := t.Neighbours
		if n == nil {
			n = new(lake.Neighbours)
		}
		for _, x := range []float64{t.NDCG10, t.UnobservedWeight, t.Regularization, t.FrequencyExponent, t.FeatureRidge,
			n.TargetExponent, n.SourceExponent, n.Ridge, n.Beta} {
			if math.IsNaN(x) || math.IsInf(x, 0) || t.Factors < 1 || n.Kept < 0 {
				return nil
			}
		}
	}
	return s
}

func clipAll(texts []string) (clipped []string) {
	for _, text := range texts[:min(len(texts), mostRemarks)] {
		clipped = append(clipped, clip(text, longestRemark))
	}
	return clipped
}

// clip cuts a text to n runes, the last of which then is an ellipsis.
func clip(text string, n int) string {
	text = strings.ToValidUTF8(text, "�")
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}
