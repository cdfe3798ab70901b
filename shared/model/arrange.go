package model

import (
	"cmp"
	"slices"
)

// arrange puts layers whose order the file does not keep into the one order in which each takes what the one before gives.
// Layers whose names differ in numbers alone stay together, in the order of these.
func (t *tower) arrange() {
	left := slices.Clone(t.layers)
	slices.SortStableFunc(left, func(a, b layer) int {
		return cmp.Or(cmp.Compare(a.pattern(), b.pattern()), slices.Compare(numbersIn(a.path), numbersIn(b.path)))
	})
	a := arrangement{left: left, steps: 10_000}
	a.extend()
	if a.found != nil {
		t.layers, t.ambiguous = a.found, a.several || a.steps <= 0
	}
}

// arrangement is a search for the orders of layers.
type arrangement struct {
	left, taken, found []layer
	several            bool // more than one order was found
	steps              int  // left, so that the search ends
}

func (a *arrangement) extend() {
	if a.steps--; a.steps <= 0 || a.several {
		return
	}
	if len(a.left) == 0 {
		a.several = a.found != nil
		a.found = slices.Clone(a.taken)
		return
	}
	tried := map[string]bool{} // only the first one left of those that are numbered may be next
	for i, next := range a.left {
		if tried[next.pattern()] || !a.mayFollow(next) {
			tried[next.pattern()] = true
			continue
		}
		tried[next.pattern()] = true
		left := a.left
		a.left = slices.Delete(slices.Clone(left), i, i+1)
		a.taken = append(a.taken, next)
		a.extend()
		a.left, a.taken = left, a.taken[:len(a.taken)-1]
	}
}

func (a *arrangement) mayFollow(next layer) bool {
	if len(a.taken) == 0 {
		return true
	}
	last := a.taken[len(a.taken)-1]
	begun := slices.ContainsFunc(a.left, func(l layer) bool { return l.pattern() == last.pattern() })
	return last.out() == next.in() && (!begun || next.pattern() == last.pattern())
}
