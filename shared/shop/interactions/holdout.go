package interactions

import (
	"math"
	"slices"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/sparse"
)

// part puts the last customer's interactions into the parts.
func (r *reader) part(customer string) {
	for i, h := range r.wanted.HoldOuts {
		s := &r.splits[i]
		if h.By == lake.ByTime {
			r.byTime(s, upTo(r.events, h.Until), h.Fraction)
		} else {
			r.byHash(s, r.events, h, customer)
		}
		r.fill(&r.Parts[i], s)
	}
	for i, fraction := range r.wanted.Validations {
		i += len(r.wanted.HoldOuts)
		r.byTime(&r.splits[i], r.splits[0].train, fraction)
		r.fill(&r.Parts[i], &r.splits[i])
	}
}

// upTo returns the interactions of a hold-out's snapshot.
func upTo(events []event, until time.Time) []event {
	last := until.UnixMilli()
	later := func(e event) bool { return e.at > last }
	if !slices.ContainsFunc(events, later) {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), later)
}

// split is a customer's interactions in two parts. Some are in neither.
type split struct{ train, heldOut []event }

// by parts all interactions by a rule.
func (s *split) by(events []event, held func(*event) bool) {
	s.train, s.heldOut = s.train[:0], s.heldOut[:0]
	for i := range events {
		if held(&events[i]) {
			s.heldOut = append(s.heldOut, events[i])
		} else {
			s.train = append(s.train, events[i])
		}
	}
}

// fill appends the customer's rows to both matrices.
func (r *reader) fill(p *Part, s *split) {
	r.meaning.sum(&r.sums, s.train, p.Train)
	r.meaning.sum(&r.sums, s.heldOut, p.HeldOut)
	if grown := len(r.Items) - len(p.Popularity); grown > 0 {
		p.Popularity = append(p.Popularity, make([]float64, grown)...)
	}
	for _, e := range s.train {
		p.Popularity[e.column] += e.kind.weight * r.meaning.decay(e.at)
	}
}

// byHash holds out the pairs that sparse.HeldOut names, with all of their interactions. A pair without any interaction
// that a recommendation should find is trained on.
func (r *reader) byHash(s *split, events []event, h lake.HoldOut, customer string) {
	draw := sparse.DrawOf(h.Seed, customer)
	held := func(e *event) bool { return draw.HeldOut(h.Fraction, r.Items[e.column]) }
	if slices.ContainsFunc(events, func(e event) bool { return !e.kind.target }) {
		targets := columnsOf(events, func(e *event) bool { return e.kind.target && held(e) })
		held = func(e *event) bool { return targets[e.column] }
	}
	s.by(events, held)
}

// columnsOf returns the items of some interactions.
func columnsOf(events []event, wanted func(*event) bool) map[int32]bool {
	columns := map[int32]bool{}
	for i := range events {
		if wanted(&events[i]) {
			columns[events[i].column] = true
		}
	}
	return columns
}

// byTime holds out the customer's last part, see cut. Of it the targets are the pairs that are new then, or all if goods
// are repeatable. An interaction before the cut with a new pair, such as a view before the purchase, is left out of
// both. So are other interactions after the cut.
func (r *reader) byTime(s *split, events []event, fraction float64) {
	at, found := cut(events, fraction)
	if !found {
		s.by(events, func(*event) bool { return false })
		return
	}
	before := columnsOf(events, func(e *event) bool { return e.kind.target && e.at <= at })
	after := columnsOf(events, func(e *event) bool { return e.kind.target && e.at > at })
	s.train, s.heldOut = s.train[:0], s.heldOut[:0]
	for _, e := range events {
		isNew := after[e.column] && !before[e.column]
		switch {
		case e.at <= at && !isNew:
			s.train = append(s.train, e)
		case e.at > at && e.kind.target && (isNew || r.Shop.Meaning.Repeatable):
			s.heldOut = append(s.heldOut, e)
		}
	}
}

// cut returns the last time of a customer that is trained on. About a fraction of the interactions that a recommendation
// should find come later. It lies between two of their times, so no order is cut in two. It returns false for a customer
// with a single time.
func cut(events []event, fraction float64) (at int64, found bool) {
	var times []int64
	for _, e := range events {
		if e.kind.target && e.at != timeless {
			times = append(times, e.at)
		}
	}
	slices.Sort(times)
	wanted, best := fraction*float64(len(times)), 0.0
	for i := 1; i < len(times); i++ {
		if times[i-1] == times[i] {
			continue
		}
		miss := math.Abs(wanted - float64(len(times)-i))
		if !found || miss <= best {
			at, best, found = times[i-1], miss, true
		}
	}
	return at, found && fraction > 0
}
