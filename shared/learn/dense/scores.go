package dense

import "fmt"

// Scorer scores users against all of some items. It never changes: any number of goroutines may use one.
type Scorer struct {
	dimension, count int
	panels           []float32 // × dimension × Lanes: Lanes items side by side, zeros for those that are missing
}

// NewScorer arranges the items, len(items)/dimension rows, for scoring. It does not keep the slice. Dimension is 1 or
// more.
func NewScorer(items []float32, dimension int) *Scorer {
	s := &Scorer{dimension: dimension, count: len(items) / dimension}
	s.panels = make([]float32, (s.count+rowItems-1)/rowItems*rowItems*dimension)
	for i := range s.count {
		panel := s.panels[i/Lanes*Lanes*dimension:]
		for k, v := range items[i*dimension : (i+1)*dimension] {
			panel[k*Lanes+i%Lanes] = v
		}
	}
	return s
}

// Items is how many items there are.
func (s *Scorer) Items() int { return s.count }

// usersAtOnce are scored against a panel of items while it is in the nearest cache: a multiple of largeRows.
const usersAtOnce = 64

// Scores writes dst[u*Items()+i] = users[u]·items[i]: len(users)/dimension rows of Items() numbers. A score does not
// depend on which other users are scored with it. A user alone has a kernel of its own. Panics if the lengths do not fit.
func (s *Scorer) Scores(dst, users []float32) {
	d, count := s.dimension, len(users)/s.dimension
	if len(users) != count*d || len(dst) != count*s.count {
		panic(fmt.Sprintf("%d numbers for the scores of %d numbers of dimension %d against %d items", len(dst), len(users), d, s.count))
	}
	turned := make([]float32, d*min(usersAtOnce, (count+largeRows-1)/largeRows*largeRows))
	for from := 0; from < count; from += usersAtOnce {
		n := min(usersAtOnce, count-from)
		if n%largeRows == 1 {
			n--
			s.scoreOne(dst[(from+n)*s.count:(from+n+1)*s.count], users[(from+n)*d:(from+n+1)*d])
		}
		stride := (n + largeRows - 1) / largeRows * largeRows
		clear(turned)
		for u := range n {
			for k, v := range users[(from+u)*d : (from+u+1)*d] {
				turned[k*stride+u] = v
			}
		}
		s.scoreTurned(dst[from*s.count:(from+n)*s.count], turned, stride, n)
	}
}

// scoreTurned scores n users that lie side by side, stride numbers from row to row. The blocks at the edges are wider
// than the rest of dst, so they are computed in a buffer.
func (s *Scorer) scoreTurned(dst, turned []float32, stride, n int) {
	var edge [largeRows * largeItems]float32
	panelStride := Lanes * s.dimension
	for i := 0; i < s.count; i += largeItems {
		panels := s.panels[i*s.dimension:]
		for u := 0; u < n; u += largeRows {
			rows, items := min(largeRows, n-u), min(largeItems, s.count-i)
			if rows == largeRows && items == largeItems {
				large(dst[u*s.count+i:], s.count, rows, turned[u:], stride, panels, panelStride, s.dimension)
				continue
			}
			large(edge[:], largeItems, rows, turned[u:], stride, panels, panelStride, s.dimension)
			for r := range rows {
				copy(dst[(u+r)*s.count+i:][:items], edge[r*largeItems:])
			}
		}
	}
}

// scoreOne scores one user.
func (s *Scorer) scoreOne(dst, user []float32) {
	var edge [rowItems]float32
	for i := 0; i < s.count; i += rowItems {
		if panels := s.panels[i*s.dimension:]; i+rowItems <= s.count {
			row(dst[i:], user, panels, s.dimension*Lanes)
		} else {
			row(edge[:], user, panels, s.dimension*Lanes)
			copy(dst[i:], edge[:])
		}
	}
}

// Scores is Scorer.Scores for items that are scored once.
func Scores(dst, users, items []float32, dimension int) {
	NewScorer(items, dimension).Scores(dst, users)
}
