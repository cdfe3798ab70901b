package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// version is one model.
type version struct {
	Number       int64
	Run          string
	Status       vectorstore.Status
	Origin       string
	Items, Users int64
	Dimension    int64
	Recall       float64
	RolledBack   bool
	Dropped      bool
	Failure      string
	Gate, Reason string // what the evaluation says
	NDCG         float64
	Blend        string
	Created      time.Time
	Activated    time.Time
}

// Active reports the one that answers.
func (v version) Active() bool { return v.Status == vectorstore.Active }

// Kept reports a version that can be made the active one.
func (v version) Kept() bool { return v.Status == vectorstore.Retired && !v.Dropped }

// Word says in a word or two where it stands.
func (v version) Word() string {
	switch {
	case v.Active():
		return "active"
	case v.Status == vectorstore.Failed && v.Gate == "not-promoted":
		return "refused"
	case v.RolledBack && !v.Dropped:
		return "rolled back"
	case v.Kept():
		return "kept"
	case v.Dropped && v.Status == vectorstore.Retired:
		return "dropped"
	case v.Status == "":
		return "measured"
	}
	return string(v.Status)
}

// mostVersions is how many are shown.
const mostVersions = 50

// versions lists them, the newest first.
func (s Source) versions(ctx context.Context) ([]version, error) {
	if s.Database == nil {
		return s.measured(ctx)
	}
	rows, err := s.Database.Query(ctx, `select version, run, status, origin, coalesce(item_count, 0), coalesce(user_count, 0), coalesce(dimension, 0),
		coalesce(recall, 0), rolled_back_by is not null, dropped_at is not null, coalesce(failure, ''), coalesce(evaluation->>'status', ''),
		coalesce(evaluation->>'reason', ''), coalesce((evaluation->>'ndcg10')::float8, 0), coalesce(blend_kind, ''), created_at, coalesce(activated_at, 'epoch')
		from `+vectorstore.VersionTable+` order by version desc limit $1`, mostVersions)
	if err != nil {
		return nil, vectorstore.Wrap("listing the versions", err)
	}
	versions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v version, err error) {
		err = row.Scan(&v.Number, &v.Run, &v.Status, &v.Origin, &v.Items, &v.Users, &v.Dimension, &v.Recall, &v.RolledBack, &v.Dropped, &v.Failure,
			&v.Gate, &v.Reason, &v.NDCG, &v.Blend, &v.Created, &v.Activated)
		if v.Activated.Unix() == 0 {
			v.Activated = time.Time{}
		}
		return v, err
	})
	return versions, vectorstore.Wrap("listing the versions", err)
}

// measured lists the versions that have a report. Without the database, nobody says which of them are kept. The last execution
// that activated one says which is active.
func (s Source) measured(ctx context.Context) ([]version, error) {
	runs, err := s.Lake.Folders(ctx, lake.EvaluationReportsParent)
	if err != nil {
		return nil, err
	}
	active, err := s.activated(ctx)
	if err != nil {
		return nil, err
	}
	var versions []version
	for _, folder := range runs[max(0, len(runs)-mostVersions):] {
		run := path.Base(folder)
		found, err := s.report(ctx, run)
		if errors.Is(err, objectstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		v := version{Number: found.Candidate.Version, Run: run, Origin: string(found.Candidate.Origin), NDCG: found.Candidate.Result.NDCG10(),
			Items: int64(found.Candidate.Result.Items), Created: found.EvaluatedAt, Reason: found.Decision.Reason, Gate: "passed"}
		if !found.Decision.Promote {
			v.Gate, v.Status = "not-promoted", vectorstore.Failed
		}
		if v.Number == active {
			v.Status = vectorstore.Active
		}
		versions = append(versions, v)
	}
	slices.SortFunc(versions, func(a, b version) int { return cmp.Compare(b.Number, a.Number) })
	return versions, nil
}

// activated returns the version that the last execution with an index left active, or 0.
func (s Source) activated(ctx context.Context) (int64, error) {
	runs, err := s.runs(ctx)
	if err != nil {
		return 0, err
	}
	for _, r := range runs {
		d, err := s.described(ctx, r)
		if err != nil {
			return 0, err
		}
		if d.Output.Embeddings.Index != nil {
			return d.Output.Embeddings.Index.Version, nil
		}
	}
	return 0, nil
}

// maxReport bounds a report, in bytes.
const maxReport = 4 << 20

func (s Source) report(ctx context.Context, run string) (found report.Report, err error) {
	_, err = s.Lake.GetJSON(ctx, lake.EvaluationReportKey(run), maxReport, &found)
	return found, err
}

// modelsPage is the versions, and one of them in full.
type modelsPage struct {
	Versions []version
	History  template.HTML // NDCG@10 by version, "" with fewer than two figures
	Shown    *version
	Parts    *report.Parts // nil: it was not measured
	Options  []report.Option
	NoTables bool // the console has no database
}

func (s *Server) models(ctx context.Context, r *http.Request) (any, error) {
	p := modelsPage{NoTables: s.source.Database == nil}
	var err error
	if p.Versions, err = s.source.versions(ctx); err != nil {
		return nil, err
	}
	if p.History, err = historyChart(p.Versions); err != nil {
		return nil, err
	}
	if p.Shown = chosen(p.Versions, r.FormValue("version")); p.Shown == nil {
		return p, nil
	}
	found, err := s.source.report(ctx, p.Shown.Run)
	if errors.Is(err, objectstore.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	parts, err := found.Parts()
	p.Parts, p.Options = &parts, found.Options
	return p, err
}

// chosen returns the version that is asked for, or else the active one, or else the newest.
func chosen(versions []version, asked string) *version {
	number, _ := strconv.ParseInt(asked, 10, 64)
	place := slices.IndexFunc(versions, func(v version) bool { return v.Number == number })
	if place < 0 {
		place = slices.IndexFunc(versions, version.Active)
	}
	if place = max(place, 0); place >= len(versions) {
		return nil
	}
	return &versions[place]
}

func historyChart(versions []version) (template.HTML, error) {
	h := report.History{ID: "versions", Title: "NDCG@10 by version", Axis: "version",
		Note: "Each was measured on the interactions that its own run held out. The active version is in colour."}
	for _, v := range slices.Backward(versions) {
		if v.NDCG > 0 {
			h.Points = append(h.Points, report.Point{Label: fmt.Sprint(v.Number), Value: v.NDCG, Active: v.Active()})
		}
	}
	if len(h.Points) < 2 {
		return "", nil
	}
	return h.Figure()
}

// reportPage serves the report of a run as evaluate wrote it.
func (s *Server) reportPage(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := bounded(r.Context())
	defer cancel()
	run := r.FormValue("run")
	if !runName.MatchString(run) {
		http.Error(w, "run: want the name of a run", http.StatusBadRequest)
		return
	}
	text, _, err := s.source.Lake.Get(ctx, lake.EvaluationPageKey(run), maxReport)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text)
}
