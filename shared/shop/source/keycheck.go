package source

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/workflow"
)

// neighbours holds the first two keys and the last two, with their numbers of interactions.
type neighbours struct{ first, last []counted }

type counted struct {
	key          string
	interactions int64
}

func (n *neighbours) add(key string, interactions int64) {
	if len(n.first) < 2 {
		n.first = append(n.first, counted{key, interactions})
	}
	if len(n.last) == 2 {
		n.last[0] = n.last[1]
		n.last = n.last[:1]
	}
	n.last = append(n.last, counted{key, interactions})
}

// narrow is a range of one customer.
type narrow struct {
	span         workflow.Range
	interactions int64
	exact        bool // the bounds are whole keys
}

// narrow returns up to two ranges of one customer each.
func (n *neighbours) narrow(compared comparison) (found []narrow) {
	for _, pair := range [][]counted{n.first, n.last} {
		if len(pair) < 2 || pair[0].key == pair[1].key { // they may be the first letters of two keys
			continue
		}
		after, upTo := pair[0].key, pair[1].key
		exact := compared.family != words || max(utf8.RuneCountInString(after), utf8.RuneCountInString(upTo)) < compared.letters
		found = append(found, narrow{workflow.Range{After: &after, UpTo: &upTo}, pair[1].interactions, exact})
	}
	return found
}

// checkKeys compares KEY with the column that its query selects, on ranges of one customer. If they differ, ranges would
// lose interactions or tear customers apart. The lab's are the same by construction.
func (s *Snapshot) checkKeys(ctx context.Context, seen neighbours) error {
	if s.shop.IsLab() {
		return nil
	}
	for _, one := range seen.narrow(s.tables.interactions.compared) {
		if err := s.checkRange(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

func (s *Snapshot) checkRange(ctx context.Context, one narrow) error {
	var faults []error
	var interactions int64
	for i, p := range s.queries.ranged() {
		byKey, bySelected, err := s.conditions(p, one.span)
		if err != nil {
			return err
		}
		var rows, inside int64
		if err := s.number(ctx, &rows, p.place, "SELECT COUNT(*) FROM "+p.where(byKey)); err != nil {
			return err
		}
		if err := s.number(ctx, &inside, p.place, "SELECT COUNT(*) FROM "+p.where(byKey)+" WHERE "+bySelected); err != nil {
			return err
		}
		if inside != rows {
			faults = append(faults, fmt.Errorf("%s: {{range %s}} finds other customers than those of the range: its KEY has to be the column that is selected as %s",
				p.place, p.Key, p.keyColumn(s.shop.Customer.Name)))
		}
		if i < len(s.queries.interactions) {
			interactions += rows
		}
	}
	if len(faults) > 0 {
		return failure.SchemaMismatch.Wrap(errors.Join(faults...))
	}
	if !one.exact || Estimated(s.shop) || interactions == one.interactions {
		return nil
	}
	return s.checkCount(ctx, one.span, interactions)
}

// checkCount compares the interactions that KEY finds with those that the selected column has. The count of the survey may
// be older, if a table has no transactions.
func (s *Snapshot) checkCount(ctx context.Context, span workflow.Range, byKeys int64) error {
	var bySelection int64
	for _, p := range s.queries.interactions {
		_, bySelected, err := s.conditions(p, span)
		if err != nil {
			return err
		}
		var rows int64
		if err := s.number(ctx, &rows, p.place, "SELECT COUNT(*) FROM "+p.where("TRUE")+" WHERE "+bySelected); err != nil {
			return err
		}
		bySelection += rows
	}
	if byKeys == bySelection {
		return nil
	}
	return failure.SchemaMismatch.Errorf("the ranges of the shop file's queries find %d interactions of a customer who has %d: each KEY has to be the column that is selected as the customer or AS range_key",
		byKeys, bySelection)
}

// conditions returns the conditions of a range on KEY, and on the column that the query selects.
func (s *Snapshot) conditions(p prepared, span workflow.Range) (byKey, bySelected string, err error) {
	compared := s.tables.interactions.compared
	if byKey, err = compared.within(p.Key, span); err == nil {
		bySelected, err = compared.within("q."+quote(p.keyColumn(s.shop.Customer.Name)), span)
	}
	return byKey, bySelected, err
}
