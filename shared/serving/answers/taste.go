package answers

import (
	"math"

	"github.com/pgvector/pgvector-go"

	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// asker returns the record with its vector, as nearest.sql computes it: (1-w) × the customer's vector + w × the session's mean.
// session is its products as the shop spells them, stored the customer's vector or nil.
func (c *catalogue) asker(q *batchQuery, r *recordQuery, session []string, stored *pgvector.Vector) asker {
	a := asker{spelled: session, session: c.known(session), first: -1}
	if len(a.session) > 0 {
		a.first = a.session[0]
	}
	own := r.vector
	a.strategy = activity.Model
	if stored != nil && (own == nil || q.storedFirst) {
		own, a.strategy = stored.Slice(), activity.StoredVector
	}
	mean := c.mean(q, r, session)
	switch {
	case own == nil:
		a.vector, a.strategy = mean, activity.History
	case mean == nil || q.sessionWeight() == 0:
		a.vector = own
	default:
		a.vector = moved(own, mean, q.sessionWeight(), q.version.Metric.ByDirection())
	}
	return a
}

// mean returns the mean of a session's known products, each as often as it counts. It is nil if there are none, or if they cancel
// each other out.
func (c *catalogue) mean(q *batchQuery, r *recordQuery, session []string) []float32 {
	if q.sessionWeight() == 0 && r.vector != nil {
		return nil
	}
	weights := map[int32]int{} // of a product that is spelled in several ways the largest counts
	for i, id := range session[:min(len(session), ranking.MostTelling)] {
		if place, known := c.places[id]; known {
			weights[place] = max(weights[place], q.countOf(r, i))
		}
	}
	sum, n := make([]float64, c.dimension), 0
	for _, place := range c.known(session) {
		weight := weights[place]
		delete(weights, place)
		n += weight
		for k, number := range c.vector(place) {
			sum[k] += float64(weight) * float64(number)
		}
	}
	mean := make([]float32, c.dimension)
	for k := range mean {
		mean[k] = float32(sum[k] / float64(max(n, 1)))
	}
	if length(mean) == 0 {
		return nil
	}
	return mean
}

// moved returns (1-weight) × own + weight × mean. By direction, the mean is first brought to the length of own, so that the weight
// says the same for every length. If the two cancel each other out, own remains.
func moved(own, mean []float32, weight float64, byDirection bool) []float32 {
	ofMean := weight
	if byDirection {
		ofMean *= length(own) / length(mean)
	}
	vector := make([]float32, len(own))
	for k := range vector {
		vector[k] = own[k]*float32(1-weight) + mean[k]*float32(ofMean)
	}
	if length(vector) == 0 {
		return own
	}
	return vector
}

func length(vector []float32) float64 {
	sum := 0.0
	for _, number := range vector {
		sum += float64(number) * float64(number)
	}
	return math.Sqrt(sum)
}
