package answers

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"recsys/shared/learn/blend"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// How the index serves a version whose neighbours rank next to the vectors (package blend). A record's candidates are the items
// nearest to its vector, by the index, and those with the highest sums of neighbours. There are EfSearch of each at least, so
// vector-index finds out by measuring how many suffice. The sums are exact, and so is their scale. The scale of the vectors is
// that of the nearest items, which are exact but for the recall of the index.

// neighbourhood is what the neighbours say about the records of a batch. Items go by their numbers in the table of neighbours.
type neighbourhood struct {
	sources [][]int32              // by record: the products whose neighbours count, in ascending order
	rows    map[int32]neighbourRow // by source
	highest int32                  // the highest number of a target
}

// neighbourRow is the targets of a source, in ascending order.
type neighbourRow struct {
	targets []int32
	weights []float32
}

// blends reports whether neighbours rank. A search that must not fail goes by the vectors alone.
func (q *batchQuery) blends() bool {
	return q.version.BlendKind != "" && q.version.BlendBeta > 0 && q.depth != plain
}

// fetchNearest returns how many items are to be found by a vector. The exact list needs few: an item without neighbours falls behind
// others by the vector only if their sums are under 0.
func (q *batchQuery) fetchNearest() int {
	switch {
	case !q.blends():
		return q.fetch(activity.Model)
	case q.depth == whole:
		return 5000
	}
	return max(q.fetch(activity.Model), q.version.EfSearch, blend.Best)
}

// fetchRelated returns how many items are to be found by neighbours. A further search takes nearly all of them, because it does
// not know yet which may be recommended.
func (q *batchQuery) fetchRelated() int {
	if q.depth == further || q.depth == whole {
		return max(q.fetchNearest(), mostIndexedRows)
	}
	return q.fetchNearest()
}

// queueNeighbours asks for the neighbours that count for the records. The result is filled in when the batch is sent.
func (p *pgvectorRetriever) queueNeighbours(batch *pgx.Batch, q *batchQuery) *neighbourhood {
	n := &neighbourhood{sources: make([][]int32, len(q.records)), rows: map[int32]neighbourRow{}}
	values, places := q.statement(), q.places(everyRecord)
	queue(batch, p.texts, q, "sources.sql", values, places).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func(record int, numbers []int32) { n.sources[record] = numbers })
	})
	queue(batch, p.texts, q, "neighbours.sql", values, places).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var source int32
			var of neighbourRow
			if err := rows.Scan(&source, &of.targets, &of.weights); err != nil {
				return err
			}
			n.rows[source] = of
			if last := len(of.targets) - 1; last >= 0 {
				n.highest = max(n.highest, of.targets[last])
			}
		}
		return rows.Err()
	})
	return n
}

func eachRow[A, B any](rows pgx.Rows, use func(A, B)) error {
	for rows.Next() {
		var a A
		var b B
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		use(a, b)
	}
	return rows.Err()
}

// sums adds up neighbours, for one record after the other.
type sums struct {
	of    *neighbourhood
	value []float32 // by item
	added []bool    // by item
	items []int32   // those that are added
}

func (n *neighbourhood) newSums() *sums {
	return &sums{of: n, value: make([]float32, n.highest+1), added: make([]bool, n.highest+1)}
}

// add begins with a record. The order of the additions is that of package blend.
func (s *sums) add(record int) {
	for _, item := range s.items {
		s.value[item], s.added[item] = 0, false
	}
	s.items = s.items[:0]
	for _, source := range s.of.sources[record] {
		row := s.of.rows[source]
		for k, target := range row.targets {
			if !s.added[target] {
				s.added[target], s.items = true, append(s.items, target)
			}
			s.value[target] += row.weights[k]
		}
	}
}

// scale returns the scale of the record's sums, see blend.Scale.
func (s *sums) scale() float64 {
	values := make([]float32, len(s.items))
	for i, item := range s.items {
		values[i] = s.value[item]
	}
	return blend.Scale(values)
}

// best returns the items with the highest sums over 0, at most n. Of equal ones the lower numbers come first.
func (s *sums) best(n int) []int32 {
	best := slices.DeleteFunc(slices.Clone(s.items), func(item int32) bool { return !(s.value[item] > 0) })
	slices.SortFunc(best, func(a, b int32) int { return cmp.Or(cmp.Compare(s.value[b], s.value[a]), cmp.Compare(a, b)) })
	return best[:min(len(best), n)]
}

// blend adds the candidates that neighbours find, and gives all candidates by vector their blended scores. It costs a round trip.
func (p *pgvectorRetriever) blend(ctx context.Context, q batchQuery, rows *rowReader, n *neighbourhood) error {
	q.records = slices.Clone(q.records)
	sums := n.newSums()
	for i := range q.records {
		sums.add(i)
		q.records[i].related = sums.best(q.fetchRelated())
	}
	scales, near := p.scalesOf(&q, rows.found), nearestItems(rows.found)
	numbers, err := p.askRelated(ctx, &q, rows, near)
	if err != nil {
		return err
	}
	for i := range rows.found {
		sums.add(i)
		ofVectors, ofNeighbours := blend.Factors(q.version.BlendBeta, scales[i], sums.scale())
		for strategy, list := range rows.found[i].Lists {
			if strategy.ByVector() {
				list.Items = distinct(list.Items)
				for k := range list.Items {
					c, sum := &list.Items[k], float32(0)
					if number, known := numbers[c.ID]; known && number <= n.highest {
						sum = sums.value[number]
					}
					c.Value = -float64(blend.Blended(float32(-c.Value), sum, ofVectors, ofNeighbours))
				}
				rows.found[i].Lists[strategy] = list
			}
		}
	}
	return nil
}

// askRelated adds the candidates of recordQuery.related to the rows. It returns the numbers of all candidates by vector.
func (p *pgvectorRetriever) askRelated(ctx context.Context, q *batchQuery, rows *rowReader, near []string) (numbers map[string]int32, err error) {
	numbers = make(map[string]int32, 2*len(near))
	values := q.statement()
	values.By, values.Filtered, values.WithLines = byNeighbours, false, q.rules.Diversity > 0 && q.version.HasShop
	batch := &pgx.Batch{}
	batch.Queue("begin isolation level repeatable read read only")
	queue(batch, p.texts, q, "related.sql", values, q.places(everyRecord)).Query(rows.recommended)
	batch.Queue(p.texts.text("numbers.sql", values), near, q.allRelated()).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func(item string, number int32) { numbers[item] = number })
	})
	batch.Queue("commit")
	return numbers, p.conn.SendBatch(ctx, batch).Close()
}

// allRelated returns the numbers that the records ask for, each once.
func (q *batchQuery) allRelated() []int32 {
	all := []int32{}
	for _, r := range q.records {
		all = append(all, r.related...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// nearestItems returns the candidates by vector of all records, each once.
func nearestItems(found []ranking.Candidates) []string {
	seen := map[string]bool{}
	for _, f := range found {
		for strategy, list := range f.Lists {
			for i := 0; strategy.ByVector() && i < len(list.Items); i++ {
				seen[list.Items[i].ID] = true
			}
		}
	}
	items := make([]string, 0, len(seen))
	for id := range seen {
		items = append(items, id)
	}
	return items
}

// scalesOf returns the scale of each record's vector, see blend.Scale. It is that of the first search, which leaves nothing out.
func (p *pgvectorRetriever) scalesOf(q *batchQuery, found []ranking.Candidates) []float64 {
	scales := make([]float64, len(found))
	for i, f := range found {
		record := q.records[i].record
		if scale, known := p.scales[record]; known {
			scales[i] = scale
			continue
		}
		for strategy, list := range f.Lists {
			if strategy.ByVector() {
				scores := make([]float32, len(list.Items))
				for k, c := range list.Items {
					scores[k] = float32(-c.Value)
				}
				scales[i] = blend.Scale(scores)
			}
		}
		p.scales[record] = scales[i]
	}
	return scales
}

// distinct removes the repetitions of an item from a list.
func distinct(items []ranking.Candidate) []ranking.Candidate {
	seen := make(map[string]bool, len(items))
	return slices.DeleteFunc(items, func(c ranking.Candidate) bool {
		again := seen[c.ID]
		seen[c.ID] = true
		return again
	})
}

// textOf returns numbers as a text array.
func textOf(numbers []int32) string {
	text := []byte{'{'}
	for i, number := range numbers {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(number), 10)
	}
	return string(append(text, '}'))
}
