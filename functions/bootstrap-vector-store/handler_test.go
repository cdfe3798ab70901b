package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/jackc/pgx/v5"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/shared/contract/settings"
	"recsys/shared/store/rds"
	"recsys/shared/store/vectorstore"
)

const (
	token      = "a-token"
	physicalID = "recsys-vector-store" // of deployed stacks: it must not change
)

// bench is a server as RDS has it, and an address that takes the function's answers to CloudFormation.
type bench struct {
	*testing.T
	server  *postgres.Server
	handler Handler
	tokens  int
	told    []cfn.Response
	url     string
}

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
	b := &bench{T: t, server: postgrestest.WithTLS(t, certificate)}
	owner, err := b.server.NewDatabase(t.Context(), "recsys")
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(owner)
	if err != nil {
		t.Fatal(err)
	}
	address.RawQuery = "sslmode=verify-full"
	address.User = nil
	b.handler = Handler{
		Store: settings.VectorStore{URL: address.String(), CA: ours.PEM(), SecretARN: "arn:owner"},
		Token: func(_ context.Context, _, user string) (rds.Credentials, error) {
			b.tokens++
			return rds.Credentials{User: user, Password: token}, nil
		},
	}
	b.secrets(`{"username":"` + postgres.Admin + `","password":"expired"}`)
	cloudFormation := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var response cfn.Response
		if err := json.NewDecoder(r.Body).Decode(&response); err != nil || r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" {
			t.Errorf("%s %v: %v", r.Method, r.Header, err)
		}
		b.told = append(b.told, response)
	}))
	t.Cleanup(cloudFormation.Close)
	b.url = cloudFormation.URL
	return b
}

// secrets is a Secrets Manager with one secret.
func (b *bench) secrets(secret string) {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		json.NewEncoder(w).Encode(map[string]string{"SecretString": secret})
	}))
	b.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	} {
		b.Setenv(name, value)
	}
}

// tell sends the function an event, as CloudFormation does, and returns the answer.
func (b *bench) tell(request cfn.RequestType, physicalID string) cfn.Response {
	b.Helper()
	before := len(b.told)
	resource := b.handler.Resource()
	resource.Pause = time.Millisecond
	_, err := resource.Handle(b.Context(), cfn.Event{
		RequestType: request, RequestID: "request", StackID: "stack", LogicalResourceID: "Bootstrap",
		PhysicalResourceID: physicalID, ResponseURL: b.url,
	})
	if err != nil || len(b.told) != before+1 {
		b.Fatalf("%s: told %d times, %v", request, len(b.told)-before, err)
	}
	return b.told[before]
}

func (b *bench) super(sql string) string {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), b.server.URLOf(postgres.Superuser, "recsys"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	rows, err := conn.Query(b.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		b.Fatal(err)
	}
	text, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(text, " ")
}

const tables = `select count(*)::text from pg_tables where schemaname = 'recsys'`

// A stack is made, updated and deleted. The roles get rds_iam as soon as the server has it.
func TestAStacksLife(t *testing.T) {
	b := setup(t)
	created := b.tell(cfn.RequestCreate, "")
	if created.Status != cfn.StatusSuccess || created.PhysicalResourceID != physicalID || b.tokens != 0 {
		t.Fatalf("created: %+v, %d tokens", created, b.tokens)
	}
	if got := b.super(tables); got != "8" {
		t.Errorf("%s tables", got)
	}
	// On RDS the owner may grant rds_iam, and is a member of it at the latest by being one of the roles that it made.
	b.super(`create role rds_iam`)
	b.super(`grant rds_iam to ` + postgres.Admin + ` with admin option`)
	b.super(`alter role ` + postgres.Admin + ` password '` + token + `'`)
	updated := b.tell(cfn.RequestUpdate, physicalID)
	if updated.Status != cfn.StatusSuccess || updated.PhysicalResourceID != physicalID || b.tokens != 1 {
		t.Errorf("updated: %+v, %d tokens", updated, b.tokens)
	}
	const members = `select string_agg(m.member::regrole::text, ' ' order by m.member::regrole::text) from pg_auth_members m
		where m.roleid = 'rds_iam'::regrole and m.member::regrole::text like 'recsys\_%er'`
	if got := b.super(members); got != vectorstore.LoaderRole+" "+vectorstore.ReaderRole {
		t.Errorf("members of rds_iam: %s", got)
	}
	deleted := b.tell(cfn.RequestDelete, physicalID)
	if deleted.Status != cfn.StatusSuccess || deleted.PhysicalResourceID != physicalID || b.super(tables) != "8" {
		t.Errorf("deleted: %+v", deleted)
	}
}

// The creator of a role is a member of it: without a token the owner of a bootstrapped database stays outside.
func TestTheOwnerBecomesAMemberOfTheRolesItGrants(t *testing.T) {
	b := setup(t)
	b.tell(cfn.RequestCreate, "")
	b.super(`create role rds_iam`)
	b.super(`grant rds_iam to recsys_loader, recsys_reader`)
	b.super(`alter role ` + postgres.Admin + ` password '` + token + `'`)
	if got := b.tell(cfn.RequestUpdate, physicalID); got.Status != cfn.StatusSuccess || b.tokens != 1 {
		t.Errorf("%d tokens were asked for: %+v", b.tokens, got)
	}
}

func TestAFailureIsTold(t *testing.T) {
	b := setup(t)
	b.super(`alter database recsys owner to postgres`)
	got := b.tell(cfn.RequestCreate, "")
	if got.Status != cfn.StatusFailed || got.PhysicalResourceID != physicalID || !strings.Contains(got.Reason, "permission denied") {
		t.Errorf("told %+v", got)
	}
	// CloudFormation rolls back with the id that it was told.
	if got := b.tell(cfn.RequestDelete, got.PhysicalResourceID); got.Status != cfn.StatusSuccess {
		t.Errorf("told %+v", got)
	}
}

func TestAServerThatIsNotThereYet(t *testing.T) {
	b := setup(t)
	if err := b.server.Pause(); err != nil {
		t.Fatal(err)
	}
	if got := b.tell(cfn.RequestCreate, ""); got.Status != cfn.StatusFailed || strings.Contains(got.Reason, "expired") {
		t.Errorf("told %+v", got)
	}
	if err := b.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.tell(cfn.RequestCreate, ""); got.Status != cfn.StatusSuccess {
		t.Errorf("told %+v", got)
	}
}
