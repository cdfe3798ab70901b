package interactions

import (
	"math"
	"slices"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/sparse"
)

// meaning is what interactions tell about their customers.
type meaning struct {
	shop    shape.Shop
	kinds   map[string]*kind
	targets []string // the types that a recommendation should find, nil for all
	newest  int64    // Unix milliseconds, timeless if no interaction has a time
}

// kind is a type of interactions.
type kind struct {
	weight float64 // of one
	rated  bool    // it is multiplied by its stars
	target bool    // a recommendation should find it
}

// timeless is the time of an interaction whose time is not known: before all others.
const timeless = math.MinInt64

func newMeaning(manifest lake.Manifest) meaning {
	shop := manifest.Shape()
	m := meaning{shop: shop, kinds: map[string]*kind{}, newest: timeless, targets: targetsOf(shop, manifest.Kinds)}
	if manifest.Newest != nil {
		m.newest = manifest.Newest.UnixMilli()
	}
	return m
}

// targetsOf returns the types after which a product is not recommended again, or else purchases and ratings. If the
// snapshot has none of either, all types are targets.
func targetsOf(shop shape.Shop, kinds map[string]int64) []string {
	for _, types := range [][]string{shop.Meaning.Exclude, {shape.Purchase, shape.Rating}} {
		if slices.ContainsFunc(types, func(name string) bool { return kinds[name] > 0 && shop.WeightOf(name) > 0 }) {
			return types
		}
	}
	return nil
}

func (m *meaning) kindOf(name []byte) *kind {
	known, found := m.kinds[string(name)]
	if !found {
		text := string(name)
		known = &kind{
			weight: m.shop.WeightOf(text), rated: text == shape.Rating,
			target: m.targets == nil || slices.Contains(m.targets, text),
		}
		known.target = known.target && known.weight > 0
		m.kinds[text] = known
	}
	return known
}

// day is the unit of half-lives.
const day = 24 * time.Hour

// decay returns the part of an interaction that its age has left: 1 without a half-life or a time.
func (m *meaning) decay(at int64) float64 {
	if m.shop.Meaning.HalfLife <= 0 || at == timeless || at >= m.newest {
		return 1
	}
	days := float64(m.newest-at) / float64(day.Milliseconds())
	return math.Exp2(-days / m.shop.Meaning.HalfLife)
}

// sum appends a customer's row to a matrix: a pair's confidence is the sum of its interactions, at most five stars.
func (m *meaning) sum(s *sums, events []event, into *sparse.Matrix) {
	for _, e := range events {
		if e.kind.weight > 0 {
			s.add(e.column, e.kind.weight*e.stars*m.decay(e.at))
		}
	}
	s.flush(into)
}

// sums adds up one customer's interactions by item.
type sums struct {
	place   []int32 // by column: 1 + its index in columns, 0 if it is not there
	columns []int32
	totals  []float64 // hundredths
}

func (s *sums) add(column int32, hundredths float64) {
	if need := int(column) + 1; need > len(s.place) {
		s.place = append(s.place, make([]int32, max(need, 2*len(s.place))-len(s.place))...)
	}
	at := s.place[column]
	if at == 0 {
		s.columns, s.totals = append(s.columns, column), append(s.totals, 0)
		at = int32(len(s.columns))
		s.place[column] = at
	}
	s.totals[at-1] += hundredths
}

// flush appends the row and starts the next one. A pair that has nearly decayed is still a pair.
func (s *sums) flush(into *sparse.Matrix) {
	for k, column := range s.columns {
		confidence := min(max(math.Round(s.totals[k]), sparse.LowestConfidence), sparse.HighestRating)
		into.Columns, into.Ratings = append(into.Columns, column), append(into.Ratings, uint16(confidence))
		s.place[column] = 0
	}
	into.Start = append(into.Start, int64(len(into.Columns)))
	s.columns, s.totals = s.columns[:0], s.totals[:0]
}
