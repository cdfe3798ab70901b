// Package als learns vectors of customers and items from ratings by implicit alternating least squares. Features of
// both sides give the vectors a prior. The objective is
//
//	Σ c(r)(1−u·v)² over ratings + α₀ Σ(u·v)² over all pairs + λ Σ n^ν |w−prior(w)|² over users and items w with n ratings
//
// and a ridge on the two linear maps from features that are the priors. A half step solves the normal equations of one side
// exactly and then its map, so the objective never rises. From 48 factors on, and with many rows, all vectors are turned into the basis in which
// the Gram matrix is diagonal. There, a row with n ratings costs n equations instead of one for each factor.
//
// Sources: Hu, Koren, Volinsky 2008. Rendle et al. 2021, arXiv 2110.14037. The priors are those of Agarwal and Chen 2009,
// "Regression-based latent factor models". The small system is Woodbury's (1950). λ is not scaled by the size of the
// catalogue as Rendle's is, so one λ holds for shops of every size.
//
// Promise: the same data, options and seed give the same bits on any number of cores, interrupted or not. Below 48 factors
// they are the same on AVX2 and on NEON too. From there on the eigenvectors may differ in their last bits.
// Memory is the ratings twice, six bytes each, and the vectors three times.
//
// Quality of Default, a fifth of the ratings held out, as NDCG@10 (the last: @20). Without features, the best options found
// for the sample shop alone reached 0.81 of the truth.
//
//	4 sample shops, 4 splits     0.36 to 0.40, which is 0.85 to 0.88 of the truth's; popularity 0.15 to 0.18
//	the same without taste       not above popularity
//	classicmodels, 3 splits      0.63 to 0.66; popularity 0.08 to 0.10; with pairs swapped not above it
//	customers without a rating   0.58 by the map of their features; popularity 0.37
//	MovieLens-1M's shape         0.205; popularity 0.174; recall@20 0.186, popularity 0.162
//
// Speed, in seconds an iteration on one and on two cores of an AMD EPYC (go test ./shared/learn/als -run '^$' -bench
// Iteration). The shape is that of MovieLens-20M: 138,493 customers and 26,744 items. A plain scalar loop took 59.5
// on two cores for the first line's 32.
//
//	ratings      16 factors    32            64            128
//	10 million   0.61, 0.30    1.37, 0.73    3.51, 1.70    9.80, 4.68
//	20 million   1.19, 0.52    2.84, 1.26    5.20, 2.64    17.0, 7.81
package als

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"

	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/dense"
	"recsys/shared/learn/sparse"
)

// Data is the input of a training.
type Data struct {
	Ratings *sparse.Matrix // customers by items
	// Users and Items are the features of each row and each column of Ratings. Nil: none.
	Users, Items *coldstart.Features
}

// Factors are the result: the inner product of a user and an item predicts how much the item pleases.
type Factors struct {
	Dimension    int
	Users, Items []float32 // rows of Dimension numbers, in the order of the matrix
	// UserMap and ItemMap turn features into such vectors. They have no weights if Data has no features.
	UserMap, ItemMap coldstart.Map
}

// Fit trains on ratings, customers by items. From resumes after the iteration of a checkpoint of the same ratings and
// options. The result has the same bits as without an interruption. Nil starts from the beginning. After is called
// after each iteration with a checkpoint that it may keep. Nil is not called. Errors: those of Validate,
// *RefusedCheckpoint, dense.ErrNotPositive, the context's and after's.
func Fit(ctx context.Context, data Data, o Options, from *Checkpoint, after func(Checkpoint) error) (Factors, error) {
	if err := o.Validate(); err != nil {
		return Factors{}, err
	}
	t, err := newTraining(data, o)
	if err != nil {
		return Factors{}, err
	}
	if from != nil || after != nil {
		t.fingerprint = fingerprint(data, o)
	}
	done := 0
	if from != nil {
		if err := t.resume(from); err != nil {
			return Factors{}, err
		}
		done = from.Iteration
	}
	for iteration := done + 1; iteration <= o.Iterations; iteration++ {
		loss, err := t.iterate(ctx)
		if err != nil {
			return Factors{}, fmt.Errorf("iteration %d: %w", iteration, err)
		}
		if after == nil {
			continue
		}
		if err := after(Checkpoint{iteration, loss, t.factors(), t.fingerprint}); err != nil {
			return Factors{}, err
		}
	}
	return t.finish(), nil
}

// training is the state between iterations. Vectors are padded to width.
type training struct {
	options      Options
	width        int
	workers      []*worker
	users, items side
	fingerprint  [32]byte
}

func newTraining(data Data, o Options) (t *training, err error) {
	if err := check(data.Ratings); err != nil {
		return nil, err
	}
	t = &training{options: o, width: dense.Pad(o.Factors)}
	if t.users, err = t.newSide(data.Ratings, data.Users); err != nil {
		return nil, fmt.Errorf("the customers: %w", err)
	}
	if t.items, err = t.newSide(data.Ratings.Transpose(), data.Items); err != nil {
		return nil, fmt.Errorf("the items: %w", err)
	}
	t.start()
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range workers {
		t.workers = append(t.workers, newWorker(t.width, o))
	}
	return t, nil
}

// check finds input that the arithmetic cannot take.
func check(m *sparse.Matrix) error {
	for k, rating := range m.Ratings {
		if column := m.Columns[k]; rating < sparse.LowestConfidence || rating > sparse.HighestRating || column < 0 || int(column) >= m.Width {
			return fmt.Errorf("entry %d of the ratings is %d hundredths of a star in column %d of %d: want %d to %d in a column that there is",
				k, rating, column, m.Width, sparse.LowestConfidence, sparse.HighestRating)
		}
	}
	return nil
}

// start draws the items' vectors, small so that the first iteration is decided by the ratings: numbers of mean 0 and
// deviation 0.1/√Factors. Only sums of whole numbers and products are taken, so they are the same on every processor.
func (t *training) start() {
	random := rand.New(rand.NewPCG(t.options.Seed, 0))
	const deviation = 37837.2 // of a sum of four numbers of 16 bits: 65536·√(4/12)
	scale := 0.1 / deviation / math.Sqrt(float64(t.options.Factors))
	for row := range t.items.ratings.Rows() {
		for k := range t.options.Factors {
			bits := random.Uint64()
			sum := bits&0xffff + bits>>16&0xffff + bits>>32&0xffff + bits>>48
			t.items.vectors[row*t.width+k] = float32((float64(sum) - 2*65535) * scale)
		}
	}
}

// iterate solves the users for the items and then the items for the users. It returns the objective.
func (t *training) iterate(ctx context.Context) (loss float64, err error) {
	if _, err := t.solve(ctx, &t.users, &t.items); err != nil {
		return 0, err
	}
	t.users.explain(t.width)
	if loss, err = t.solve(ctx, &t.items, &t.users); err != nil {
		return 0, err
	}
	t.items.explain(t.width)
	if t.usesBasis(&t.items) {
		t.users.explain(t.width) // the turned map has other last bits than one that is fitted after an interruption
	}
	return loss + t.users.penalty(t.width) + t.items.penalty(t.width), nil
}

func (t *training) factors() Factors {
	return Factors{Dimension: t.options.Factors, Users: t.users.compact(t.options.Factors, t.width), Items: t.items.compact(t.options.Factors, t.width)}
}

// finish is factors with the maps, which speak for those without ratings.
func (t *training) finish() Factors {
	f := t.factors()
	f.UserMap, f.ItemMap = t.users.compactMap(f.Dimension, t.width), t.items.compactMap(f.Dimension, t.width)
	t.users.speak(f.Users, f.UserMap)
	t.items.speak(f.Items, f.ItemMap)
	return f
}

func (t *training) resume(from *Checkpoint) error {
	f := from.Factors
	if from.Fingerprint != t.fingerprint || from.Iteration < 1 || from.Iteration > t.options.Iterations || f.Dimension != t.options.Factors ||
		len(f.Users) != t.users.ratings.Rows()*f.Dimension || len(f.Items) != t.items.ratings.Rows()*f.Dimension {
		return &RefusedCheckpoint{"it is of other ratings or options"}
	}
	t.users.expand(f.Users, f.Dimension, t.width)
	t.items.expand(f.Items, f.Dimension, t.width)
	t.users.explain(t.width)
	t.items.explain(t.width)
	return nil
}
