package blend

// Sweep ranks with one model at several βs in one pass, which costs little more than one of them. It is evaluation.Variants.
// Each β ranks as a Scorer with it does.
type Sweep struct {
	Customers
	Betas []float64 // in place of the model's own
}

// Variants returns the number of βs.
func (s Sweep) Variants() int { return len(s.Betas) }

// Rows calls each with the scores of all items, for each of the customers and each β. i counts the customers of this call. The
// row is good until each returns, which may change it.
func (s Sweep) Rows(customers []int32, each func(i, beta int, row []float32)) {
	vectors := make([][]float32, len(customers))
	for i, customer := range customers {
		vectors[i] = s.Vectors[customer]
	}
	scores := make([]float32, len(customers)*s.items)
	s.vectors.ScoreVectors(scores, vectors)
	row, sums := make([]float32, s.items), make([]float32, s.items)
	for i, customer := range customers {
		history, _ := s.History.Row(int(customer))
		own := scores[i*s.items : (i+1)*s.items]
		ofNeighbours := s.sum(own, sums, vectors[i] != nil, history)
		ofVectors := Scale(own)
		for b, beta := range s.Betas {
			v, n := Factors(beta, ofVectors, ofNeighbours)
			for item, score := range own {
				row[item] = Blended(score, sums[item], v, n)
			}
			each(i, b, row)
		}
	}
}
