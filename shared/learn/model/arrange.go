package model

import (
	"cmp"
	"slices"
)

// arrange puts layers without a known order into the one order in which each takes the output of the one before.
// Layers whose names differ in numbers alone stay together, in the order of these.
func (t *tower) arrange() {
	left := slices.Clone(t.layers)
	slices.SortStableFunc(left, func(a, b layer) int {
		return cmp.Or(cmp.Compare(a.pattern, b.pattern), slices.Compare(numbersIn(a.path), numbersIn(b.path)))
	})
	a := arrangement{left: left, steps: 10_000}
	a.extend()
	if a.found != nil {
		t.layers, t.ambiguous = a.found, a.several || a.steps <= 0
	}
}

// arrangement is a search for the orders of layers.
type arrangement struct {
	left, taken, found []layer // left is sorted by pattern
	several            bool    // more than one order was found
	steps              int     // left, so that the search ends
}

func (a *arrangement) extend() {
	a.steps--
	if len(a.left) == 0 {
		a.several = a.found != nil
		a.found = slices.Clone(a.taken)
		return
	}
	begun := a.begun()
	for i, next := range a.left {
		if a.several || a.steps <= 0 {
			return
		}
		// Only the first one left of those that are numbered may be next.
		if i > 0 && next.pattern == a.left[i-1].pattern || !a.mayFollow(next, begun) {
			continue
		}
		a.left = slices.Delete(a.left, i, i+1)
		a.taken = append(a.taken, next)
		a.extend()
		a.left, a.taken = slices.Insert(a.left, i, next), a.taken[:len(a.taken)-1]
	}
}

// begun reports whether the last layer taken is one of several that are numbered, and others of these are left.
func (a *arrangement) begun() bool {
	return len(a.taken) > 0 && slices.ContainsFunc(a.left, func(l layer) bool { return l.pattern == a.taken[len(a.taken)-1].pattern })
}

func (a *arrangement) mayFollow(next layer, begun bool) bool {
	if len(a.taken) == 0 {
		return true
	}
	last := a.taken[len(a.taken)-1]
	return last.out() == next.in() && (!begun || next.pattern == last.pattern)
}
