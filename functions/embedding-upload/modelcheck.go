package main

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/model"
)

// sampleSize is how many customers a model is compared by: with that many, a tenth that differs is not missed.
const sampleSize = 200

// modelCheck compares a model with the vectors that were handed over with it, for sampled customers of the shop. A file of
// weights does not say how they are put together: only this comparison shows that they are read as they were trained.
type modelCheck struct {
	model     *model.Model
	selection model.Selection // the model's features among the shop's facts
	metric    distance.Metric
	enforce   bool
	sample    []sampled
	beyond    uint64 // hashes from here on are not in the sample. 0: it is not full yet
}

// sampled is a customer with the vector that was handed over.
type sampled struct {
	hash   uint64
	user   model.Record
	vector []float32
}

// add takes the customer into the sample if the hash of their id is among the lowest so far. So the same
// hand-over and snapshot give the same sample in any order.
func (m *modelCheck) add(id string, user model.Record, vector []float32) {
	hash := fnv.New64a()
	hash.Write([]byte(id))
	one := sampled{hash.Sum64(), user, nil}
	if m.beyond != 0 && one.hash >= m.beyond {
		return
	}
	one.user, one.vector = m.selection.Of(user), slices.Clone(vector)
	if m.sample = append(m.sample, one); len(m.sample) == 2*sampleSize {
		m.cut()
	}
}

// cut leaves the lowest hashes.
func (m *modelCheck) cut() {
	slices.SortFunc(m.sample, func(a, b sampled) int { return cmp.Compare(a.hash, b.hash) })
	if len(m.sample) > sampleSize {
		m.beyond = m.sample[sampleSize].hash
		m.sample = m.sample[:sampleSize]
	}
}

// judge refuses the hand-over if the model gives other vectors for most of the sample, and remarks on it if it does for some.
func (m *modelCheck) judge(c *comparison) {
	m.cut()
	if len(m.sample) == 0 {
		c.remark("The model was not compared: no customer is both in %s and in the newest snapshot.", lake.UserEmbeddingsKey)
		return
	}
	differing := 0
	for i := range m.sample {
		computed, err := m.model.UserEmbedding(m.sample[i].user)
		if err != nil || !m.agrees(i, computed) {
			differing++
		}
	}
	c.found.ModelChecked, c.found.ModelDiffers = len(m.sample), differing
	switch {
	case differing == 0:
	case differing*2 <= len(m.sample):
		c.remark("The model gives other vectors than those handed over for %d of %d sampled customers: their features may have changed since.", differing, len(m.sample))
	case m.enforce:
		c.refuse(fmt.Errorf("the model does not give the vectors of %s: %s If no tower made these vectors, set modelCheck=report", lake.UserEmbeddingsKey, m.difference(differing)))
	default:
		c.remark("The model does not give the vectors of %s: %s", lake.UserEmbeddingsKey, m.difference(differing))
	}
}

// difference says how many differ, and the likely cause.
func (m *modelCheck) difference(differing int) string {
	text := fmt.Sprintf("%d of %d sampled customers differ (%s)", differing, len(m.sample), m.bound())
	users := make([]model.Record, len(m.sample))
	for i := range users {
		users[i] = m.sample[i].user
	}
	if cause := m.model.Explain(users, m.agrees); cause != "" {
		return text + ". They would agree " + cause + ". Towers are read as Linear layers with ReLU between, and an output of length 1."
	}
	return text + ". Neither another activation nor another reading of the layers explains it: are weights, scalers and vectors of one training?"
}

// A model agrees up to an angle of 2.6 degrees, a cosine of 0.999. Weights in bfloat16, or vectors written with two
// decimals, stay well within it. Vectors of different customers can be closer than 0.99, so that a wider bound would let another
// model pass. By cosine the length counts for nothing. The other metrics see it: there the distance is bounded, as a
// part of the handed-over vector's length, by as much as that angle makes.
const (
	leastCosine  = 0.999
	mostDistance = 0.0447 // sqrt(2 - 2·leastCosine)
)

func (m *modelCheck) bound() string {
	if m.metric.IgnoresLength() {
		return fmt.Sprintf("a cosine below %g", leastCosine)
	}
	return fmt.Sprintf("a distance of more than %.1f %% of the vector's length", mostDistance*100)
}

// agrees compares a computed vector with the one that was handed over for a customer of the sample.
func (m *modelCheck) agrees(customer int, computed []float32) bool {
	given := m.sample[customer].vector
	if len(computed) != len(given) {
		return false
	}
	var product, ours, theirs, apart float64
	for k, x := range computed {
		a, b := float64(x), float64(given[k])
		product, ours, theirs, apart = product+a*b, ours+a*a, theirs+b*b, apart+(a-b)*(a-b)
	}
	if m.metric.IgnoresLength() {
		return product >= leastCosine*math.Sqrt(ours*theirs)
	}
	return apart <= mostDistance*mostDistance*theirs
}
