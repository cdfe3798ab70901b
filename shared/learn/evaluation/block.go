package evaluation

import (
	"context"
	"sync/atomic"

	"recsys/shared/learn/sparse"
)

// blockScores is the number of scores that a worker holds at once, unless a row is longer. 2 MB stay in the cache.
const blockScores = 1 << 19

// evaluation is the work, cut in blocks of customers. The cut does not depend on the workers, and sums are kept by
// block. So they are added in one order on any number of workers.
type evaluation struct {
	HoldOut
	scorer      Scorer
	customers   []int32   // to judge by
	novelty     []float64 // self-information by item
	head        []bool    // the items with the most ratings
	perBlock    int       // customers
	sums        []sums    // by block
	perCustomer []float64 // NDCG@10
}

// sums are the figures of a block's customers, added up.
type sums struct {
	recall, ndcg, novelty [len(Cutoffs)]float64
	listed, head          [len(Cutoffs)]int // items in the lists, and those of the head among them
	reciprocal            float64
	heldOut, unserved     int
	byAge                 [len(Ages)]struct{ heldOut, found int }
}

func prepare(by HoldOut, scorer Scorer) *evaluation {
	train := by.Train
	e := &evaluation{HoldOut: by, scorer: scorer, customers: by.customers(), perBlock: perBlock(train.Width)}
	rating := 0
	for c := range train.Rows() {
		if train.Start[c] < train.Start[c+1] {
			rating++
		}
	}
	e.novelty = make([]float64, train.Width)
	having := counts(train)
	for item, n := range having {
		e.novelty[item] = selfInformation(n, rating)
	}
	e.head = headOf(having)
	e.sums = make([]sums, (len(e.customers)+e.perBlock-1)/e.perBlock)
	e.perCustomer = make([]float64, len(e.customers))
	return e
}

// perBlock returns the number of customers of a block.
func perBlock(items int) int { return min(max(blockScores/max(items, 1), 1), 64) }

// counts is the number of ratings of each item.
func counts(m *sparse.Matrix) []int {
	n := make([]int, m.Width)
	for _, item := range m.Columns {
		n[item]++
	}
	return n
}

// work takes the next block until there is none. places gets, for each item, its best place in a list of this worker,
// 1 to longest. 0: in no list.
func (e *evaluation) work(ctx context.Context, next *atomic.Int64, places []uint8) error {
	scores := make([]float32, min(e.perBlock, len(e.customers))*e.Train.Width)
	for {
		b := int(next.Add(1)) - 1
		if b >= len(e.sums) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		e.judge(b, scores, places)
	}
}

func (e *evaluation) judge(b int, scores []float32, places []uint8) {
	from := b * e.perBlock
	customers := e.customers[from:min(from+e.perBlock, len(e.customers))]
	width := e.Train.Width
	e.scorer.Score(scores[:len(customers)*width], customers)
	hits := make([]int, 0, longest)
	for i, c := range customers {
		heldOut, _ := e.HeldOut.Row(int(c))
		r := rank(scores[i*width:(i+1)*width], e.known(c), heldOut)
		hits = r.hits(hits[:0], heldOut)
		e.perCustomer[from+i] = ndcg(10, hits, len(heldOut))
		e.add(&e.sums[b], &r, hits, len(heldOut))
		e.addAges(&e.sums[b], &r, hits, heldOut)
		for place, item := range r.top[:r.length] {
			if at := uint8(place + 1); places[item] == 0 || at < places[item] {
				places[item] = at
			}
		}
	}
}

// add adds one customer to the sums of a block.
func (e *evaluation) add(s *sums, r *ranking, hits []int, heldOut int) {
	for c, k := range Cutoffs {
		s.recall[c] += recall(k, hits, heldOut)
		s.ndcg[c] += ndcg(k, hits, heldOut)
		list := r.top[:min(k, r.length)]
		s.listed[c] += len(list)
		for _, item := range list {
			s.novelty[c] += e.novelty[item]
			if e.head[item] {
				s.head[c]++
			}
		}
	}
	if r.firstHit > 0 {
		s.reciprocal += 1 / float64(r.firstHit)
	}
	if r.length == 0 {
		s.unserved++
	}
	s.heldOut += heldOut
}

// result adds the blocks up in their order.
func (e *evaluation) result(places [][]uint8) Result {
	r := Result{Customers: len(e.customers), Items: e.Train.Width, PerCustomer: e.perCustomer}
	var all sums
	for i := range e.sums {
		all.merge(&e.sums[i])
	}
	r.HeldOut, r.Unserved = all.heldOut, all.unserved
	n := float64(max(r.Customers, 1))
	r.MRR = all.reciprocal / n
	covered := covered(places)
	for c, k := range Cutoffs {
		r.At[c] = Figures{
			K: k, Recall: all.recall[c] / n, NDCG: all.ndcg[c] / n,
			Coverage: float64(covered[c]) / float64(max(r.Items, 1)), Novelty: all.novelty[c] / float64(max(all.listed[c], 1)),
			Head: float64(all.head[c]) / float64(max(all.listed[c], 1)),
		}
	}
	for _, value := range e.perCustomer {
		r.Histogram[min(int(value*10), 9)]++
	}
	r.ByHistory, r.ByAge = e.byHistory(), e.byAge(&all)
	r.Interval = meanInterval(e.perCustomer, defaultResamples, 1)
	return r
}

func (s *sums) merge(o *sums) {
	for c := range Cutoffs {
		s.recall[c] += o.recall[c]
		s.ndcg[c] += o.ndcg[c]
		s.novelty[c] += o.novelty[c]
		s.listed[c] += o.listed[c]
		s.head[c] += o.head[c]
	}
	s.reciprocal += o.reciprocal
	s.heldOut += o.heldOut
	s.unserved += o.unserved
	for g := range Ages {
		s.byAge[g].heldOut += o.byAge[g].heldOut
		s.byAge[g].found += o.byAge[g].found
	}
}

// covered counts the items that any worker saw among the first k, by cutoff.
func covered(places [][]uint8) (n [len(Cutoffs)]int) {
	for item := range places[0] {
		best := uint8(longest + 1)
		for _, of := range places {
			if of[item] > 0 {
				best = min(best, of[item])
			}
		}
		for c, k := range Cutoffs {
			if int(best) <= k {
				n[c]++
			}
		}
	}
	return n
}
