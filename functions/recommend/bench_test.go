package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsfirehose "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/pgvector/pgvector-go"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
)

// sessions are n records of which each sixth customer is unknown, with three products each.
func sessions(n int) []string {
	chance := rand.New(rand.NewPCG(2, 2))
	payloads := make([]string, n)
	for i := range payloads {
		payloads[i] = fmt.Sprintf(`{"session_id": "s%d", "customer_number": %d, "city": "Oslo", "country": "Norway", "credit_limit": %d, "browse_history": [{"product_code": "item-%05d", "quantity": "4", "in_shopping_cart": true}, {"product_code": "item-%05d", "quantity": "3", "in_shopping_cart": false}, {"product_code": "item-%05d", "quantity": "1", "in_shopping_cart": false}]}`,
			i, 1+chance.IntN(1200), 1000+i, chance.IntN(10_000), chance.IntN(10_000), chance.IntN(10_000))
	}
	return payloads
}

// accepting is a Firehose that takes everything, so that the benchmark measures our own part.
type accepting struct{}

func (accepting) PutRecordBatch(context.Context, *awsfirehose.PutRecordBatchInput, ...func(*awsfirehose.Options)) (*awsfirehose.PutRecordBatchOutput, error) {
	return &awsfirehose.PutRecordBatchOutput{FailedPutCount: aws.Int32(0)}, nil
}

// BenchmarkBatch is the handler in this process against a real PostgreSQL with 10,000 items: stored vectors, or the sample's model.
// The bare limit beside it is the same searches in one statement, without anything of ours.
func BenchmarkBatch(b *testing.B) {
	w := setup(b)
	v := version{Items: versiontest.ManyItems(10_000), Users: versiontest.ManyUsers(1000), Popularity: versiontest.Popularity}
	number := w.load(v)
	handler := w.newHandler(w.readerURL, accepting{})
	run := func(name string, size int) {
		b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) { batches(b, handler, size) })
	}
	for _, size := range []int{1, 100, 500, 1000} {
		run("stored", size)
	}
	b.Run("bare/1000", func(b *testing.B) { bare(b, w, number, 1000) })
	v.Model = sampleArtifacts
	w.load(v)
	for _, size := range []int{1, 100, 500, 1000} {
		run("model", size)
	}
}

// BenchmarkOptions measures the cost of each option on a large shop: records/s, and their share of the records/s
// without any option, in batches that alternate.
func BenchmarkOptions(b *testing.B) {
	w := setup(b)
	v := versiontest.LargeShop()
	bare := func(s *settings.Ranking) {
		s.SessionWeight, s.TrendingHalfLife = 0, 0
		s.IncludeRated, s.IncludeSession, s.IncludeOutOfStock = true, true, true
	}
	options := []struct {
		name   string
		change func(*settings.Ranking)
	}{
		{"session weight", func(s *settings.Ranking) { weight := s.SessionWeight; bare(s); s.SessionWeight = weight }},
		{"without rated", func(s *settings.Ranking) { bare(s); s.IncludeRated = false }},
		{"without session", func(s *settings.Ranking) { bare(s); s.IncludeSession = false }},
		{"without out of stock", func(s *settings.Ranking) { bare(s); s.IncludeOutOfStock = false }},
		{"trends", func(s *settings.Ranking) { halfLife := s.TrendingHalfLife; bare(s); s.TrendingHalfLife = halfLife }},
		{"defaults", func(*settings.Ranking) {}},
		{"defaults and trending items", func(s *settings.Ranking) { s.TrendingItems = true }},
		{"defaults and diversity", func(s *settings.Ranking) { s.Diversity = 0.3 }},
	}
	for _, vectors := range []string{"stored", "model"} {
		if vectors == "model" {
			v.Model = sampleArtifacts
		}
		w.load(v)
		without := w.newHandler(w.readerURL, accepting{}, bare)
		for _, option := range options {
			with := w.newHandler(w.readerURL, accepting{}, option.change)
			for _, size := range []int{1, 500} {
				b.Run(fmt.Sprintf("%s/%s/%d", vectors, option.name, size), func(b *testing.B) { compare(b, with, without, size) })
			}
		}
	}
}

// batches answers one batch after the other.
func batches(b *testing.B, handler *Handler, size int) {
	event := batch(sessions(size)...)
	b.ReportAllocs()
	for b.Loop() {
		answer(b, handler, event)
	}
	b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "records/s")
}

// compare answers batches by two handlers in turn. It reports the fastest batch of each, because the machine has
// other things to do.
func compare(b *testing.B, with, without *Handler, size int) {
	event := batch(sessions(size)...)
	var took, reference []time.Duration
	timed := func(handler *Handler) time.Duration {
		started := time.Now()
		answer(b, handler, event)
		return time.Since(started)
	}
	timed(with) // prepares its statements
	for b.Loop() {
		took, reference = append(took, timed(with)), append(reference, timed(without))
	}
	fastest := slices.Min(took).Seconds()
	b.ReportMetric(float64(size)/fastest, "records/s")
	b.ReportMetric(100*slices.Min(reference).Seconds()/fastest, "%-of-none")
}

func answer(b *testing.B, handler *Handler, event events.KinesisEvent) {
	response, err := handler.Handle(b.Context(), event)
	if err != nil || len(response.BatchItemFailures) > 0 {
		b.Fatal("not done", err)
	}
}

func bare(b *testing.B, w *world, number int64, size int) {
	var vectors []pgvector.Vector
	for _, vector := range versiontest.RandomVectors(2 * size) { // the nearest to a customer, and to a product
		vectors = append(vectors, pgvector.NewVector(vector))
	}
	sql := fmt.Sprintf(`select count(near.id) from unnest($1::vector[]) q(v) cross join lateral
		(select id from %s i order by i.embedding <=> q.v limit 5) near`, vectorstore.ItemTable(number))
	for b.Loop() {
		var found int
		if err := w.loader.QueryRow(b.Context(), sql, vectors).Scan(&found); err != nil || found != 10*size {
			b.Fatal(found, err)
		}
	}
	b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "records/s")
}
