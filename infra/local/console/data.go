package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/objectstore"
)

// dataPage is what lies in the buckets, with the lines that open it.
type dataPage struct {
	Snapshots []snapshotRow
	Lines     []line // that open the newest
	Versions  []line // that open the vectors of the active version
	Answers   []line // that open the stream's answers
}

type snapshotRow struct {
	Name            string
	Made            time.Time
	Rows, Customers int64
	Products        int64
	Newest          bool
	Location        string
}

// line opens something in one program.
type line struct{ Program, Text string }

// mostSnapshots is how many are listed.
const mostSnapshots = 20

func (s *Server) data(ctx context.Context, _ *http.Request) (any, error) {
	var p dataPage
	latest, err := interactions.Latest(ctx, s.source.Lake)
	if err != nil && !errors.Is(err, interactions.ErrNoSnapshot) {
		return nil, err
	}
	folders, err := s.source.Lake.Folders(ctx, lake.TrainingPrefix)
	if err != nil {
		return nil, err
	}
	for _, folder := range slices.Backward(folders) {
		name, ok := lake.RunOfSnapshotPrefix(folder)
		if !ok || len(p.Snapshots) == mostSnapshots {
			continue
		}
		m, err := interactions.ReadManifest(ctx, s.source.Lake, name)
		if errors.Is(err, objectstore.ErrNotFound) {
			continue // it is being written
		}
		if err != nil {
			return nil, err
		}
		row := snapshotRow{name, m.StartedAt, m.Rows, m.Customers, m.Products, name == latest.Snapshot, s.source.location(s.source.Lake, lake.SnapshotPrefix(name))}
		p.Snapshots = append(p.Snapshots, row)
		if row.Newest {
			p.Lines = s.source.openSnapshot(row.Location, m.Shape().Layout)
		}
	}
	slices.SortFunc(p.Snapshots, func(a, b snapshotRow) int { return b.Made.Compare(a.Made) })
	versions, err := s.source.versions(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(versions, version.Active); i >= 0 {
		at := s.source.location(s.source.Artifacts, lake.VersionKey(versions[i].Number, lake.ItemEmbeddingsKey))
		p.Versions = []line{
			{"DuckDB", fmt.Sprintf("select * from read_csv('%s') limit 10;", at)},
			{"pandas", fmt.Sprintf("pandas.read_csv(%q)", at)},
		}
	}
	answers := s.source.location(s.source.Recommendations, lake.AnswersPrefix)
	p.Answers = []line{
		{"DuckDB", fmt.Sprintf("select * from read_json('%s**/*.gz', format = 'newline_delimited') limit 10;", answers)},
		{"Spark", fmt.Sprintf("spark.read.option(\"recursiveFileLookup\", True).json(%q)", answers)},
	}
	return p, nil
}

// openSnapshot returns the lines that open a folder of Parquet objects.
func (s Source) openSnapshot(at string, layout shape.Layout) []line {
	folder := "customerNumber"
	if layout == shape.ByRange {
		folder = "part"
	}
	lines := []line{
		{"DuckDB", fmt.Sprintf("select * from read_parquet('%s%s=*/*.parquet', hive_partitioning = true) limit 10;", at, folder)},
		{"pandas", fmt.Sprintf("pandas.read_parquet(%q)", at)},
		{"Spark", fmt.Sprintf("spark.read.parquet(%q)", at)},
	}
	athena := fmt.Sprintf("select * from %s.%s limit 10;", s.Glue, lake.TrainingTable)
	if s.Location != nil {
		athena = "-- after a deployment: " + athena
	}
	return slices.Insert(lines, 1, line{"Athena", athena})
}
