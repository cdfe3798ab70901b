package main

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/source"
	"recsys/shared/store/objectstore"
)

func event(tb testing.TB) workflow.PlanInput { return testbed.Event[workflow.PlanInput](tb) }

var shop = map[string]string{
	"customers": "customerNumber INT, city VARCHAR(50), state VARCHAR(50), postalCode VARCHAR(15), country VARCHAR(50), creditLimit DECIMAL(10,2)",
	"products":  "productCode VARCHAR(15), productLine VARCHAR(50), productScale VARCHAR(10), quantityInStock SMALLINT, buyPrice DECIMAL(10,2), MSRP DECIMAL(10,2)",
	"ratings":   "customerNumber INT, productCode VARCHAR(15), productRating SMALLINT",
}

func TestPlanAgainstARealServer(t *testing.T) {
	mysqltest.Each(t, planAgainstARealServer)
}

func planAgainstARealServer(t *testing.T, server *mysql.Server) {
	setup := func(t *testing.T, change map[string]string, statements ...string) Handler {
		store, _ := s3test.ForTest(t, "lake")
		dsn, err := server.NewDatabase(t.Context(), strings.ReplaceAll(t.Name(), "/", "_"))
		if err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("mysql", dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		tables := maps.Clone(shop)
		maps.Copy(tables, change)
		for table, columns := range tables {
			if columns != "" {
				statements = append([]string{"CREATE TABLE " + table + " (" + columns + ")"}, statements...)
			}
		}
		for _, statement := range statements {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		database, err := source.Open(t.Context(), settings.Source{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { database.Close() })
		return Handler{Source: database, Shop: shape.Lab, Lake: store, RowsPerRange: 2, MaxConcurrency: 8}
	}

	t.Run("ranges", func(t *testing.T) {
		h := setup(t, nil, "INSERT INTO ratings VALUES (103,'a',1),(103,'b',1),(112,'a',1),(119,'a',1),(NULL,'a',1),(496,'a',1)")
		plan, err := h.Handle(t.Context(), event(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Ranges) != 3 || plan.EstimatedRows != 6 || *plan.Ranges[0].UpTo != "103" || *plan.Ranges[1].UpTo != "119" {
			t.Errorf("planned %+v", plan)
		}
		var written workflow.Plan
		if _, err := h.Lake.GetJSON(t.Context(), lake.PlanKey(plan.ID), maxPlan, &written); err != nil || len(written.Ranges) != 3 {
			t.Errorf("wrote %+v, %v", written, err)
		}
	})
	t.Run("empty", func(t *testing.T) {
		plan, err := setup(t, nil).Handle(t.Context(), event(t))
		if err != nil || len(plan.Ranges) != 1 || plan.EstimatedRows != 0 {
			t.Errorf("planned %+v, %v", plan, err)
		}
	})
	for name, test := range map[string]struct {
		change map[string]string
		want   []string
	}{
		"missing tables":         {map[string]string{"ratings": "", "products": ""}, []string{"table ratings is missing", "table products is missing"}},
		"missing column":         {map[string]string{"ratings": "customerNumber INT, productCode VARCHAR(15)"}, []string{"ratings.productRating is missing", "integer"}},
		"rating is text":         {map[string]string{"ratings": "customerNumber INT, productCode VARCHAR(15), productRating VARCHAR(5)"}, []string{"ratings.productRating is varchar(5)", "integer"}},
		"customer is a fraction": {map[string]string{"ratings": "customerNumber DECIMAL(10,2), productCode VARCHAR(15), productRating INT"}, []string{"ratings.customerNumber is decimal(10,2)", "integer"}},
		"price is text":          {map[string]string{"products": "productCode VARCHAR(15), productLine TEXT, productScale TEXT, quantityInStock INT, buyPrice TEXT, MSRP DECIMAL(10,2)"}, []string{"products.buyPrice is text", "DECIMAL"}},
		"code is a float":        {map[string]string{"ratings": "customerNumber INT, productCode DOUBLE, productRating INT"}, []string{"ratings.productCode is double", "CHAR"}},
		"several tables":         {map[string]string{"ratings": "", "Ratings": "customerNumber INT", "RATINGS": "customerNumber INT"}, []string{"table ratings could be any of", "RATINGS", "Ratings", "rename"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := setup(t, test.change).Handle(t.Context(), event(t))
			if !errors.Is(err, failure.SchemaMismatch) {
				t.Fatalf("got %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
	t.Run("capitals do not matter", func(t *testing.T) {
		h := setup(t, map[string]string{"ratings": "CUSTOMERNUMBER BIGINT, ProductCode CHAR(9), productrating TINYINT"})
		if _, err := h.Handle(t.Context(), event(t)); err != nil {
			t.Error(err)
		}
	})
	t.Run("server gone", func(t *testing.T) {
		h := setup(t, nil)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Handle(context.WithoutCancel(t.Context()), event(t)); !errors.Is(err, failure.SourceUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}

// shopOf is a source with a number of ratings of customer 7, and a function that runs while they are counted.
type shopOf struct {
	ratings  int64
	meantime func()
}

func (s *shopOf) Survey(_ context.Context, shop shape.Shop, visit func(key *string, ratings int64)) (source.Survey, error) {
	if s.meantime != nil {
		s.meantime()
	}
	seven := "7"
	visit(&seven, s.ratings)
	return source.Survey{Shop: shop, Interactions: s.ratings, Customers: 1}, nil
}

// The plan of a run's first attempt stays, even if the source changes or another attempt comes between.
func TestASecondAttemptAnswersTheFirstsPlan(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	plan := func(run workflow.PlanInput, ratings int64, meantime func()) (workflow.Plan, error) {
		h := Handler{Source: &shopOf{ratings, meantime}, Lake: store, RowsPerRange: 1, MaxConcurrency: 1}
		return h.Handle(t.Context(), run)
	}
	wants := func(run workflow.PlanInput, ratings, want int64, meantime func()) {
		t.Helper()
		if got, err := plan(run, ratings, meantime); err != nil || got.EstimatedRows != want {
			t.Errorf("planned %+v, %v; want %d rows", got, err, want)
		}
	}
	run := event(t)
	wants(run, 1, 1, nil)
	wants(run, 2, 1, nil)
	run.ID = "overtaken"
	wants(run, 3, 4, func() { wants(run, 4, 4, nil) })

	later := run
	later.StartedAt = run.StartedAt.Add(time.Second)
	if _, err := plan(later, 5, nil); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("another run of the name: %v", err)
	}
	wants(run, 6, 4, nil)
	later.ID = "contested"
	if _, err := plan(later, 1, func() {
		earlier := later
		earlier.StartedAt = run.StartedAt
		wants(earlier, 2, 2, nil)
	}); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("another run of the name, at the same time: %v", err)
	}
}

// A source that shrank is refused before anything is extracted, and leaves no plan.
func TestAShrunkSourceIsNotPlanned(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	active := lake.Latest{Snapshot: "before", Source: "shop", Rows: 10, Customers: 1}
	if _, err := store.PutJSON(t.Context(), lake.LatestKey, active); err != nil {
		t.Fatal(err)
	}
	h := Handler{Source: &shopOf{ratings: 4}, Shop: shape.Lab, Identity: "shop", Shrinkage: 0.5, Lake: store, RowsPerRange: 1, MaxConcurrency: 1}
	run := event(t)
	_, err := h.Handle(t.Context(), run)
	if !errors.Is(err, failure.SourceShrank) || !strings.Contains(err.Error(), "4 ratings instead of 10") {
		t.Errorf("got %v", err)
	}
	if _, err := store.Head(t.Context(), lake.PlanKey(run.ID)); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("a plan is left: %v", err)
	}
	run.Input = []byte(`{"acceptShrunkSource":true}`)
	if plan, err := h.Handle(t.Context(), run); err != nil || !plan.AcceptShrunkSource || plan.Source != "shop" ||
		plan.Comparison != "accepted: 4 ratings instead of 10" {
		t.Errorf("planned %+v, %v", plan, err)
	}
}

// Plans expire before snapshots do.
func TestTheNameOfASnapshotIsNotUsedAgain(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	run := event(t)
	if _, err := store.PutJSON(t.Context(), lake.ManifestKey(run.ID), lake.Manifest{}); err != nil {
		t.Fatal(err)
	}
	_, err := Handler{Source: &shopOf{}, Lake: store, RowsPerRange: 1, MaxConcurrency: 1}.Handle(t.Context(), run)
	if !errors.Is(err, failure.InvalidInput) {
		t.Errorf("got %v", err)
	}
	if _, err := store.Head(t.Context(), lake.PlanKey(run.ID)); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("a plan is left: %v", err)
	}
}

func TestInvalidInput(t *testing.T) {
	good := Handler{RowsPerRange: 1, MaxConcurrency: 1}
	for name, call := range map[string]func() error{
		"run": func() error { _, err := good.Handle(t.Context(), workflow.PlanInput{}); return err },
		"a mistyped key": func() error {
			in := event(t)
			in.Input = []byte(`{"rolback":true}`)
			_, err := good.Handle(t.Context(), in)
			return err
		},
		"rows": func() error { _, err := Handler{MaxConcurrency: 1}.Handle(t.Context(), event(t)); return err },
		"concurrency": func() error {
			_, err := Handler{RowsPerRange: 1, MaxConcurrency: 41}.Handle(t.Context(), event(t))
			return err
		},
		"DSN": func() error {
			_, err := source.Open(t.Context(), settings.Source{DSN: "secret@nowhere"})
			return err
		},
		"no database": func() error {
			_, err := source.Open(t.Context(), settings.Source{DSN: "root@tcp(127.0.0.1:1)/"})
			return err
		},
	} {
		if err := call(); !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the DSN: %v", name, err)
		}
	}
}
