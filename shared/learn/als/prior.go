package als

import (
	"fmt"

	"recsys/shared/learn/coldstart"
)

// prior is the vector that a row's features predict. The row's vector is regularised towards it. Without features it
// is zero.
type prior struct {
	features *coldstart.Features // nil: none
	ridge    *coldstart.Ridge
	weight   float64       // of the ridge in the objective
	fitted   coldstart.Map // of dimension width
}

func newPrior(features *coldstart.Features, penalties []float32, ridge float64, width int) (p prior, err error) {
	if features == nil {
		return prior{}, nil
	}
	if features.Rows() != len(penalties) {
		return prior{}, fmt.Errorf("features of %d rows for ratings of %d", features.Rows(), len(penalties))
	}
	sum, rows := 0.0, 0
	for _, penalty := range penalties {
		if penalty > 0 {
			sum, rows = sum+float64(penalty), rows+1
		}
	}
	p = prior{features: features, weight: ridge * sum / float64(max(rows, 1))}
	if rows == 0 {
		p.weight = ridge
	}
	p.fitted = coldstart.Map{Dimension: width, Weights: make([]float32, (1+features.Width)*width)}
	p.ridge, err = coldstart.NewRidge(features, penalties, p.weight)
	return p, err
}

func (p *prior) fit(vectors []float32, width int) {
	if p.features != nil {
		p.fitted = p.ridge.Fit(vectors, width, width)
	}
}

// of writes a row's prior to mean.
func (p *prior) of(mean []float32, row int) {
	if p.features != nil {
		columns, values := p.features.Row(row)
		p.fitted.Apply(mean, columns, values)
	}
}

// penalty is the ridge's part of the objective.
func (p *prior) penalty() (sum float64) {
	if p.features == nil {
		return 0
	}
	for _, v := range p.fitted.Weights[p.fitted.Dimension:] {
		sum += float64(float64(v) * float64(v))
	}
	return p.weight * sum
}

// compactMap is the map without padding.
func (p *prior) compactMap(dimension, width int) coldstart.Map {
	m := coldstart.Map{Dimension: dimension}
	for from := 0; from < len(p.fitted.Weights); from += width {
		m.Weights = append(m.Weights, p.fitted.Weights[from:][:dimension]...)
	}
	return m
}
