package main

import (
	"context"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/vectorstore"
)

// prepare finds the versions to compare and the interactions to judge them by. A trained candidate is judged by its own
// hold-out. If the snapshot is newer than its training, the later interactions do not count.
func (m *measurement) prepare(ctx context.Context, version vectorstore.Record, manifest lake.Manifest) (err error) {
	if m.candidate, err = m.handler.contender(ctx, version); err != nil {
		return err
	}
	if err = m.findActive(ctx, manifest.Shape()); err != nil {
		return err
	}
	m.rule = m.handler.HeldOut.In(manifest)
	own := m.candidate.training.HeldOut
	judgedByOwn := own.Seed == m.rule.Seed && own.Fraction == m.rule.Fraction
	if judgedByOwn {
		m.rule = own
	}
	if err := m.read(ctx, manifest); err != nil {
		return err
	}
	if m.rule.By == lake.ByTime && !judgedByOwn && m.Customers() < evaluation.Fewest { // as train does
		m.rule = m.handler.HeldOut
		if err := m.read(ctx, manifest); err != nil {
			return err
		}
	}
	m.sample(m.handler.MaxCustomers)
	return nil
}

// read reads the interactions without those that the rule holds out, and those.
func (m *measurement) read(ctx context.Context, manifest lake.Manifest) (err error) {
	wanted := interactions.Wanted{HoldOuts: []lake.HoldOut{m.rule}}
	if m.comparesByTime() {
		wanted.HoldOuts = append(wanted.HoldOuts, m.active.training.HeldOut)
	}
	if m.snapshot, err = interactions.Read(ctx, m.handler.Lake, manifest, wanted); err != nil {
		return err
	}
	parts := m.snapshot.Parts
	m.HoldOut = evaluation.HoldOut{Train: parts[0].Train, HeldOut: parts[0].HeldOut, Repeatable: m.snapshot.Shop.Meaning.Repeatable, Ages: m.snapshot.Ages}
	m.popularity = parts[0].Popularity
	for _, other := range parts[1:] {
		m.leaveOut(other.Train)
	}
	m.snapshot.Parts = nil
	return nil
}

// contender reads how a version was trained.
func (h *Handler) contender(ctx context.Context, version vectorstore.Record) (c contender, err error) {
	c.Record = version
	if version.Origin == vectorstore.Trained {
		_, err = h.Artifacts.GetJSON(ctx, lake.VersionKey(version.Version, lake.TrainingKey), lake.MaxTraining, &c.training)
	}
	return c, err
}

// findActive finds the active version, if it is another one than the candidate and knows the same shop.
func (m *measurement) findActive(ctx context.Context, shop shape.Shop) error {
	version, found, err := vectorstore.Current(ctx, m.handler.DB)
	if err != nil || !found || version.Version == m.candidate.Version {
		return err
	}
	active, err := m.handler.contender(ctx, version)
	if isUnmeasurable(err) {
		m.remarkUnmeasurable(ctx, version.Version, err)
		return nil
	}
	if err != nil {
		return err
	}
	if active.madeFor() != shop.Hash {
		m.remark("Version %d, which is active, was made for another shop file. The candidate is compared with the baselines alone.", version.Version)
		return nil
	}
	m.active = &active
	return nil
}

// madeFor returns the hash of the shop that a version was made for. The shop of a version's row is that of its pairs and its
// popularity, which each load brings up to date. So a trained version's own file says it.
func (c contender) madeFor() string {
	if c.Origin == vectorstore.Trained {
		return c.training.Shop
	}
	return shape.OrLab(c.Shop).Hash
}

// comparesByTime reports whether both versions were trained without their customers' last parts, which differ from
// snapshot to snapshot.
func (m *measurement) comparesByTime() bool {
	return m.active != nil && m.rule.By == lake.ByTime && m.active.training.HeldOut.By == lake.ByTime && m.active.training.HeldOut != m.rule
}

// mayHaveSeen reports whether a version's training may have used the hold-out.
func (m *measurement) mayHaveSeen(of contender) bool {
	if of.Origin == vectorstore.Trained && m.active != nil && of.Version == m.active.Version && m.comparesByTime() {
		return m.activeSaw // otherwise the pairs that it saw are left out
	}
	return of.Origin != vectorstore.Trained || of.training.HeldOut != m.rule
}

// leaveOut takes the pairs out of the hold-out that the active version was trained on and the candidate was not. If that
// leaves too few customers, it leaves all, and the comparison is not fair.
func (m *measurement) leaveOut(seen *sparse.Matrix) {
	has := func(matrix *sparse.Matrix, row, column int) bool {
		columns, _ := matrix.Row(row)
		_, found := slices.BinarySearch(columns, int32(column))
		return found
	}
	rest, both := m.HeldOut.Split(func(row, column int) bool { return has(seen, row, column) && !has(m.Train, row, column) })
	if without := (evaluation.HoldOut{Train: m.Train, HeldOut: rest}); without.Customers() < evaluation.Fewest {
		m.activeSaw = true
	} else if n := len(both.Columns); n > 0 {
		m.HeldOut = rest
		m.remark("%d held-out pairs do not count: version %d, which is active, was trained on them.", n, m.active.Version)
	}
}

// sample has about so many customers to measure by, drawn by a hash of their ids, if there are more.
func (m *measurement) sample(customers int) {
	all := len(m.snapshot.Customers)
	if customers == 0 || all <= customers {
		return
	}
	fraction := float64(customers) / float64(all)
	m.HeldOut = m.HeldOut.Thin(func(row int) bool {
		return sparse.HeldOut(m.handler.HeldOut.Seed, fraction, m.snapshot.Customers[row], "")
	})
	m.remark("Measured by a sample of about %d of %d customers.", customers, all)
}
