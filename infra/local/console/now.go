package console

import (
	"context"
	"html/template"
	"net/http"
	"slices"
)

// nowPage is what runs.
type nowPage struct {
	Active *version // nil: no version is active
	// Shown is the run whose steps are shown: the one that is asked for, or the newest.
	Shown  *detail
	Asked  bool
	Runs   []run
	Stream stream
	Chart  template.HTML // answers by minute, "" without any
}

// Query asks for the run again that is shown by name.
func (p nowPage) Query() string {
	if p.Asked {
		return "?run=" + template.URLQueryEscaper(p.Shown.Name)
	}
	return ""
}

func (s *Server) now(ctx context.Context, r *http.Request) (any, error) {
	var p nowPage
	versions, err := s.source.versions(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(versions, version.Active); i >= 0 {
		p.Active = &versions[i]
	}
	if p.Runs, err = s.source.runs(ctx); err != nil {
		return nil, err
	}
	place := slices.IndexFunc(p.Runs, func(x run) bool { return x.Name == r.FormValue("run") })
	p.Asked = place >= 0
	if place = max(place, 0); place < len(p.Runs) {
		shown, err := s.source.detail(ctx, p.Runs[place])
		if err != nil {
			return nil, err
		}
		p.Shown = &shown
	}
	if p.Stream, err = s.source.stream(ctx); err != nil {
		return nil, err
	}
	p.Chart, err = p.Stream.chart()
	return p, err
}
