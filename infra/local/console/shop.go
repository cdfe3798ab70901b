package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"sync"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/shop/interactions"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// shopPage is what the published snapshot holds.
type shopPage struct {
	Manifest *lake.Manifest // nil: nothing is published
	Name     string         // of the shop
	Rejected []share
	Skipped  []share
	Kinds    []share
	Days     template.HTML // interactions by day, "" without times
	NoDays   string        // why
	// Run is whose rejected rows are shown.
	Run  string
	Bad  []badRow
	Runs []string // with rejected rows
}

// badRow is a row in quarantine.
type badRow struct {
	Reason string
	Cells  []cell
}

type cell struct{ Name, Value string }

const (
	// mostBad bounds the rejected rows that are shown, and maxBadLine one of them in bytes.
	mostBad    = 20
	maxBadLine = 64 << 10
	// mostDated bounds the interactions whose days are counted.
	mostDated = 5_000_000
	// mostDays is how many columns of days are drawn.
	mostDays = 90
)

// RejectedRows adds the reasons up.
func (p shopPage) RejectedRows() (sum int64) {
	for _, n := range p.Manifest.Rejected {
		sum += n
	}
	return sum
}

// Shown is the number of rejected rows on the page.
func (p shopPage) Shown() int64 { return int64(len(p.Bad)) }

// Made tells when the snapshot was made.
func (p shopPage) Made() time.Time { return p.Manifest.StartedAt }

func (s *Server) shopPage(ctx context.Context, r *http.Request) (any, error) {
	var p shopPage
	latest, err := interactions.Latest(ctx, s.source.Lake)
	switch {
	case errors.Is(err, interactions.ErrNoSnapshot):
		err = nil
	case err != nil:
		return nil, err
	default:
		manifest, err := interactions.ReadManifest(ctx, s.source.Lake, latest.Snapshot)
		if err != nil {
			return nil, err
		}
		p.Manifest, p.Run = &manifest, latest.Snapshot
		if p.Name = manifest.Shape().Name; p.Name == "" {
			p.Name = "Tables of the sample shop"
		}
		p.Rejected, p.Skipped, p.Kinds = shares(manifest.Rejected), shares(manifest.Skipped), shares(manifest.Kinds)
		if len(p.Kinds) == 0 {
			p.Kinds = shares(map[string]int64{shape.Rating: manifest.Rows})
		}
		if p.Days, p.NoDays, err = s.days(ctx, manifest); err != nil {
			return nil, err
		}
	}
	if asked := r.FormValue("run"); runName.MatchString(asked) {
		p.Run = asked
	}
	if p.Run == "" {
		return p, nil
	}
	if p.Bad, err = s.source.quarantine(ctx, p.Run); err != nil {
		return nil, err
	}
	if p.Manifest == nil || p.Run != p.Manifest.Snapshot {
		p.Rejected, err = s.source.rejected(ctx, p.Run)
	}
	return p, err
}

var runName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// rejected adds up the reports of a run that may not have published.
func (s Source) rejected(ctx context.Context, run string) ([]share, error) {
	reasons := map[string]int64{}
	err := s.Lake.List(ctx, path.Dir(lake.RangeReportKey(run, 0))+"/", func(o objectstore.Object) error {
		var found struct{ Rejected map[string]int64 }
		_, err := s.Lake.GetJSON(ctx, o.Key, maxReport, &found)
		for reason, n := range found.Rejected {
			reasons[reason] += n
		}
		return err
	})
	return shares(reasons), err
}

// quarantine reads the first rejected rows of a run.
func (s Source) quarantine(ctx context.Context, run string) (bad []badRow, err error) {
	err = s.Lake.List(ctx, lake.QuarantinePrefix(run), func(o objectstore.Object) error {
		body, _, err := s.Lake.Open(ctx, o.Key)
		if err != nil {
			return err
		}
		defer body.Close()
		lines := bufio.NewScanner(io.LimitReader(body, mostBad*maxBadLine))
		lines.Buffer(nil, maxBadLine)
		for lines.Scan() {
			if row, ok := parseBad(lines.Bytes()); ok {
				bad = append(bad, row)
			}
			if len(bad) == mostBad {
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return bad, err
}

// parseBad reads a line of quarantine: an object whose first member is the reason.
func parseBad(line []byte) (row badRow, ok bool) {
	var members map[string]any
	if json.Unmarshal(line, &members) != nil {
		return row, false
	}
	row.Reason, _ = members["reason"].(string)
	delete(members, "reason")
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := "NULL"
		if members[name] != nil {
			value = fmt.Sprint(members[name])
		}
		row.Cells = append(row.Cells, cell{name, value})
	}
	return row, true
}

// shopCache holds what was read of the newest snapshot, because a snapshot never changes.
type shopCache struct {
	mu       sync.Mutex
	days     string // the snapshot that perDay is of
	perDay   map[string]int64
	snapshot *interactions.Snapshot
	names    map[string]string
}

// days draws the interactions by day, or says why not.
func (s *Server) days(ctx context.Context, m lake.Manifest) (drawn template.HTML, why string, err error) {
	column, timed := m.Shape().Interaction(shape.Time)
	switch {
	case !timed:
		return "", "The interactions of this shop have no times.", nil
	case m.Rows > mostDated:
		return "", "There are too many interactions to count their days here.", nil
	}
	s.shop.mu.Lock()
	defer s.shop.mu.Unlock()
	if s.shop.days != m.Snapshot {
		perDay, err := s.source.countDays(ctx, m, column.Name)
		if err != nil {
			return "", "", err
		}
		s.shop.days, s.shop.perDay = m.Snapshot, perDay
	}
	drawn, err = dayChart(s.shop.perDay)
	return drawn, "", err
}

func (s Source) countDays(ctx context.Context, m lake.Manifest, column string) (map[string]int64, error) {
	perDay := map[string]int64{}
	for i := range m.Ranges {
		rows, err := training.OpenSelected(ctx, s.Lake, lake.RangeKey(m.Snapshot, i), column)
		if err != nil {
			return nil, err
		}
		for {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				rows.Close()
				return nil, err
			}
			if !row[0].IsNull() {
				perDay[time.UnixMilli(row[0].Int64()).UTC().Format(time.DateOnly)]++
			}
		}
		rows.Close()
	}
	return perDay, nil
}

// dayChart draws the days from the first to the last. Of a long time a column holds several days.
func dayChart(perDay map[string]int64) (template.HTML, error) {
	if len(perDay) == 0 {
		return "", nil
	}
	days := newestFirst(perDay)
	first, _ := time.Parse(time.DateOnly, days[len(days)-1])
	last, _ := time.Parse(time.DateOnly, days[0])
	all := int(last.Sub(first)/(24*time.Hour)) + 1
	each := (all + mostDays - 1) / mostDays
	bars := make([]report.Bar, (all+each-1)/each)
	for i := range bars {
		bars[i].Label = first.AddDate(0, 0, i*each).Format("Jan 06")
		if all <= mostDays {
			bars[i].Label = first.AddDate(0, 0, i).Format("2 Jan")
		}
	}
	for day, n := range perDay {
		at, _ := time.Parse(time.DateOnly, day)
		bars[int(at.Sub(first)/(24*time.Hour))/each].Count += n
	}
	note := "A column for each day."
	if each > 1 {
		note = fmt.Sprintf("A column for each %d days.", each)
	}
	return report.Columns{ID: "days", Title: "Interactions by day", Note: note, Axis: "day", Bars: bars}.Figure()
}
