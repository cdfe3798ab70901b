package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/shop/source"
)

// bench is a server that speaks TLS, with its administrator.
type bench struct {
	*testing.T
	handler Handler
	root    *sql.DB
	trusted string // the server's authority
}

// physicalID is that of deployed stacks: it must not change.
const physicalID = "recsys-sample-shop"

// secret is the password of MariaDB's reader, in the place of a token: hashed as its plugin wants it.
const (
	secret = "secret"
	hashed = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"
)

func setup(t *testing.T) *bench {
	t.Helper()
	ours, err := authority.New("a test's")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ours.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	server := mysqltest.WithTLS(t, certificate)
	root, err := sql.Open("mysql", server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	administrator, err := source.Configure(t.Context(), settings.Source{DSN: server.DSN()})
	if err != nil {
		t.Fatal(err)
	}
	shop := sampleshop.Default()
	shop.Customers, shop.Products, shop.Ratings = 30, 20, 60
	return &bench{t, Handler{administrator, shop, Reader{"recsys_reader", "mysql_native_password", hashed}}, root, ours.PEM()}
}

// tell sends the function an event, as CloudFormation does, and returns the answer.
func (b *bench) tell(h Handler, request cfn.RequestType) (told cfn.Response) {
	b.Helper()
	cloudFormation := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&told); err != nil || r.Method != http.MethodPut {
			b.Errorf("%s: %v", r.Method, err)
		}
	}))
	defer cloudFormation.Close()
	resource := h.Resource()
	resource.Pause = time.Millisecond
	_, err := resource.Handle(b.Context(), cfn.Event{
		RequestType: request, RequestID: "request", StackID: "stack", LogicalResourceID: "Shop",
		PhysicalResourceID: physicalID, ResponseURL: cloudFormation.URL,
	})
	if err != nil || told.PhysicalResourceID != physicalID {
		b.Fatalf("%s: told %+v, %v", request, told, err)
	}
	return told
}

func (b *bench) number(query string) (n int) {
	b.Helper()
	if err := b.root.QueryRowContext(b.Context(), query).Scan(&n); err != nil {
		b.Fatalf("%s: %v", query, err)
	}
	return n
}

func (b *bench) exec(statement string) {
	b.Helper()
	if _, err := b.root.ExecContext(b.Context(), statement); err != nil {
		b.Fatalf("%s: %v", statement, err)
	}
}

const ratings = "SELECT COUNT(*) FROM classicmodels.ratings"

func TestAStacksLife(t *testing.T) {
	b := setup(t)
	if told := b.tell(b.handler, cfn.RequestCreate); told.Status != cfn.StatusSuccess || told.Data["Database"] != "classicmodels" {
		t.Fatalf("created: %+v", told)
	}
	if n := b.number(ratings); n != 60 {
		t.Errorf("%d ratings", n)
	}
	b.exec("DELETE FROM classicmodels.ratings LIMIT 1")
	if told := b.tell(b.handler, cfn.RequestUpdate); told.Status != cfn.StatusSuccess || b.number(ratings) != 59 {
		t.Errorf("the same shop was loaded again: %+v", told)
	}
	b.exec("UPDATE classicmodels." + note + " SET fingerprint = ''") // as a load leaves it that was killed
	if told := b.tell(b.handler, cfn.RequestUpdate); told.Status != cfn.StatusSuccess || b.number(ratings) != 60 {
		t.Errorf("the load was not begun anew: %+v", told)
	}
	other := b.handler
	other.Shop.Ratings = 90
	if told := b.tell(other, cfn.RequestUpdate); told.Status != cfn.StatusSuccess || b.number(ratings) != 90 {
		t.Errorf("another shop: %+v", told)
	}
	if told := b.tell(other, cfn.RequestDelete); told.Status != cfn.StatusSuccess || b.number(ratings) != 90 {
		t.Errorf("deleted: %+v", told)
	}
}

// The reader reads the pipeline's columns, over TLS only, and nothing else.
func TestTheReader(t *testing.T) {
	b := setup(t)
	b.tell(b.handler, cfn.RequestCreate)
	connect := func(user, password, tls string) *sql.DB {
		config, err := source.Configure(t.Context(), settings.Source{
			DSN: user + ":" + password + "@tcp(" + b.handler.Administrator.Addr + ")/classicmodels" + tls, CA: b.trusted})
		if err != nil {
			t.Fatal(err)
		}
		connector, err := mysql.NewConnector(config)
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		t.Cleanup(func() { db.Close() })
		return db
	}
	if err := connect("recsys_reader", secret, "").PingContext(t.Context()); err == nil {
		t.Error("the reader gets in without TLS")
	}
	reader := connect("recsys_reader", secret, "?tls=true")
	for query, allowed := range map[string]bool{
		"SELECT customerNumber, COUNT(*) FROM ratings GROUP BY customerNumber": true,
		"SELECT city, creditLimit FROM customers":                              true,
		"SELECT MSRP FROM products":                                            true,
		"SELECT customerName FROM customers":                                   false,
		"SELECT * FROM orders":                                                 false,
		"DELETE FROM ratings":                                                  false,
	} {
		_, err := reader.ExecContext(t.Context(), query)
		if allowed != (err == nil) {
			t.Errorf("%s: %v", query, err)
		}
	}
	database, err := source.Open(t.Context(), settings.Source{
		DSN: "recsys_reader:" + secret + "@tcp(" + b.handler.Administrator.Addr + ")/classicmodels?tls=true", CA: b.trusted})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	if _, err := database.Survey(t.Context(), shape.Lab, func(*string, int64) {}); err != nil {
		t.Errorf("what the reader sees is no shop: %v", err)
	}
}

func TestAServerThatIsNotThereYet(t *testing.T) {
	b := setup(t)
	refusing := b.handler
	refusing.Administrator = b.handler.Administrator.Clone()
	refusing.Administrator.Addr = "127.0.0.1:1"
	dials := 0
	if err := refusing.Administrator.Apply(mysql.BeforeConnect(func(_ context.Context, c *mysql.Config) error {
		if dials++; dials == 3 {
			c.Addr = b.handler.Administrator.Addr
		}
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	if told := b.tell(refusing, cfn.RequestCreate); told.Status != cfn.StatusSuccess || dials != 3 || b.number(ratings) != 60 {
		t.Errorf("told %+v after %d attempts", told, dials)
	}
}

func TestSomebodyElsesTablesStay(t *testing.T) {
	b := setup(t)
	b.exec("CREATE DATABASE classicmodels")
	b.exec("CREATE TABLE classicmodels.ratings (customerNumber INT)")
	told := b.tell(b.handler, cfn.RequestCreate)
	if told.Status != cfn.StatusFailed || !strings.Contains(told.Reason, "somebody else") || b.number(ratings) != 0 {
		t.Errorf("told %+v", told)
	}
}

// Lambda may start an asynchronous call twice.
func TestTwoLoadsAtOnce(t *testing.T) {
	b := setup(t)
	var all sync.WaitGroup
	failed := make([]error, 3)
	for i := range failed {
		all.Go(func() { _, failed[i] = b.handler.prepare(t.Context()) })
	}
	all.Wait()
	if n := b.number(ratings); n != 60 || slices.ContainsFunc(failed, func(err error) bool { return err != nil }) {
		t.Errorf("%d ratings, %v", n, failed)
	}
}

func TestTheDefaultsAreTheSampleShop(t *testing.T) {
	t.Setenv("SOURCE_DSN", "tcp(127.0.0.1:1)/")
	s, err := settings.Load[settings.LoadSampleShop]()
	if err != nil {
		t.Fatal(err)
	}
	want := sampleshop.Default()
	got := sampleshop.Options{SampleShop: s.SampleShop}
	if got != want {
		t.Errorf("the settings' defaults are %s, the sample's %s", describe(got), describe(want))
	}
}

func describe(o sampleshop.Options) string {
	return o.Database + " of " + strconv.Itoa(o.Ratings) + " ratings"
}
