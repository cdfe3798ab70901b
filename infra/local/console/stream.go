package console

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/store/objectstore"
	"recsys/shared/stream/activity"
)

// stream is what was answered of late.
type stream struct {
	Answers, Rejected int64
	PerMinute         [window]int64 // the last is now
	Strategies        []share
	Last              time.Time     // of the newest answer
	Delay             time.Duration // from the newest answers to their object in the bucket
	More              bool          // there are more objects than are read
	now               time.Time
}

// share is one of several counts.
type share struct {
	Name  string
	Count int64
	Part  float64 // of all, in percent
}

const (
	// window is the minutes that are looked back.
	window = 60
	// mostObjects and mostBytes bound what is read of the answers.
	mostObjects = 60
	mostBytes   = 16 << 20
	// mostRejected bounds how many rejected records are counted.
	mostRejected = 10000
)

var errEnough = errors.New("enough")

// stream reads the newest objects of the answers.
func (s Source) stream(ctx context.Context) (stream, error) {
	found := stream{now: time.Now().UTC()}
	since := found.now.Add(-window * time.Minute)
	var objects []objectstore.Object
	for hour := since.Truncate(time.Hour); !hour.After(found.now); hour = hour.Add(time.Hour) {
		err := s.Recommendations.List(ctx, lake.AnswersPrefix+hour.Format("year=2006/month=01/day=02/hour=15/"), func(o objectstore.Object) error {
			objects = append(objects, o)
			return nil
		})
		if err != nil {
			return found, err
		}
	}
	slices.SortFunc(objects, func(a, b objectstore.Object) int { return b.Modified.Compare(a.Modified) })
	strategies := map[string]int64{}
	for i, object := range objects {
		if found.More = i == mostObjects; found.More {
			break
		}
		if err := s.readAnswers(ctx, object, since, &found, strategies); err != nil {
			return found, err
		}
	}
	found.Strategies = shares(strategies)
	err := s.Recommendations.List(ctx, lake.RejectedParent, func(o objectstore.Object) error {
		if o.Modified.After(since) {
			found.Rejected++
		}
		if found.Rejected == mostRejected {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

func (s Source) readAnswers(ctx context.Context, object objectstore.Object, since time.Time, found *stream, strategies map[string]int64) error {
	body, _, err := s.Recommendations.Open(ctx, object.Key)
	if err != nil {
		return err
	}
	defer body.Close()
	plain, err := gzip.NewReader(body)
	if err != nil {
		return fmt.Errorf("reading %s: %w", object.Key, err)
	}
	for lines := json.NewDecoder(io.LimitReader(plain, mostBytes)); ; {
		var answer struct {
			Recommendation activity.Recommendation `json:"recommendation"`
		}
		err := lines.Decode(&answer)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", object.Key, err)
		}
		at := answer.Recommendation.GeneratedAt
		if at.Before(since) {
			continue
		}
		found.Answers++
		strategies[string(answer.Recommendation.Strategy)]++
		found.PerMinute[max(0, window-1-int(found.now.Sub(at)/time.Minute))]++
		if at.After(found.Last) {
			found.Last, found.Delay = at, max(0, object.Modified.Sub(at))
		}
	}
}

// Lately is how many answers a minute there were in the last five.
func (s stream) Lately() string {
	var sum int64
	for _, n := range s.PerMinute[window-5:] {
		sum += n
	}
	return fmt.Sprintf("%.1f", float64(sum)/5)
}

func (s stream) chart() (template.HTML, error) {
	if s.Answers == 0 {
		return "", nil
	}
	bars := make([]report.Bar, window)
	for i, n := range s.PerMinute {
		bars[i] = report.Bar{Label: s.now.Add(time.Duration(i-window+1) * time.Minute).Local().Format("15:04"), Count: n}
	}
	return report.Columns{ID: "answers", Title: "Answers by minute", Note: "The last hour.", Axis: "time", Bars: bars}.Figure()
}

// shares lists counts, the largest first.
func shares(counts map[string]int64) (list []share) {
	var sum int64
	for _, n := range counts {
		sum += n
	}
	for name, n := range counts {
		list = append(list, share{name, n, 100 * float64(n) / float64(max(sum, 1))})
	}
	slices.SortFunc(list, func(a, b share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return list
}

// newestFirst returns the keys of a map in descending order.
func newestFirst[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Compare(b, a) })
}
