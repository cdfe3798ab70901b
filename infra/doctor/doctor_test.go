package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"recsys/infra/deployment"
)

// account is an AWS account as its services answer. Each field is one service's answer, in its own protocol.
type account struct {
	plan       string
	hasRole    bool
	bootstrap  string // version, or "" for none
	concurrent int
	shards     int    // that may be open, of which one is
	workgroups string // names, in quotes
	database   bool
	stack      string // status, or "" for none
	mapping    string // state
	confirmed  bool
}

func (a account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if form := string(body); strings.HasPrefix(form, "Action=") {
		operation, _, _ = strings.Cut(strings.TrimPrefix(form, "Action="), "&")
	}
	if operation == "" {
		operation = r.URL.Path // REST
	}
	status, answer := a.answer(operation)
	w.WriteHeader(status)
	io.WriteString(w, answer)
}

func (a account) answer(operation string) (status int, text string) {
	refuse := func(refused bool, code, otherwise string) (int, string) {
		if refused {
			return http.StatusBadRequest, fmt.Sprintf(`{"__type":"%s","message":"no"}`, code)
		}
		return http.StatusOK, otherwise
	}
	inXML := func(found bool, code, answer string) (int, string) {
		if !found {
			return http.StatusNotFound, `<ErrorResponse><Error><Code>` + code + `</Code><Message>no</Message></Error></ErrorResponse>`
		}
		return http.StatusOK, answer
	}
	switch {
	case operation == "GetAccountPlanState":
		return http.StatusOK, `{"accountPlanType":"` + a.plan + `"}`
	case operation == "GetRole":
		return inXML(a.hasRole, "NoSuchEntity", `<GetRoleResponse><GetRoleResult><Role><RoleName>r</RoleName></Role></GetRoleResult></GetRoleResponse>`)
	case operation == "GetParameter":
		return refuse(a.bootstrap == "", "ParameterNotFound", `{"Parameter":{"Value":"`+a.bootstrap+`"}}`)
	case strings.Contains(operation, "account-settings"):
		return http.StatusOK, fmt.Sprintf(`{"AccountLimit":{"ConcurrentExecutions":%d}}`, a.concurrent)
	case operation == "DescribeLimits":
		return http.StatusOK, fmt.Sprintf(`{"ShardLimit":%d,"OpenShardCount":1}`, a.shards)
	case operation == "GetDatabase":
		return refuse(!a.database, "EntityNotFoundException", `{"Database":{"Name":"recsys"}}`)
	case operation == "ListWorkGroups":
		return http.StatusOK, `{"WorkGroups":[{"Name":` + a.workgroups + `}]}`
	case operation == "DescribeStacks":
		return inXML(a.stack != "", "ValidationError", `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>recsys</StackName><StackStatus>`+a.stack+`</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
	case operation == "ListStackResources":
		return http.StatusOK, stackResources
	case operation == "ListExecutions":
		return http.StatusOK, `{"executions":[{"name":"night","status":"SUCCEEDED"}]}`
	case operation == "DescribeStreamSummary":
		return http.StatusOK, `{"StreamDescriptionSummary":{"StreamStatus":"ACTIVE","OpenShardCount":1}}`
	case strings.Contains(operation, "event-source-mappings"):
		return http.StatusOK, `{"State":"` + a.mapping + `","LastProcessingResult":"OK"}`
	case operation == "ListSubscriptionsByTopic":
		arn := "PendingConfirmation"
		if a.confirmed {
			arn = "arn:aws:sns:eu-west-1:123456789012:t:1"
		}
		return http.StatusOK, `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions><member><SubscriptionArn>` + arn + `</SubscriptionArn></member></Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`
	}
	return http.StatusForbidden, `{"__type":"AccessDeniedException","message":"may not ` + operation + `"}`
}

var stackResources = func() string {
	members := ""
	for kind, id := range map[string]string{
		"AWS::StepFunctions::StateMachine": "arn:machine", "AWS::Kinesis::Stream": "activity", "AWS::Lambda::EventSourceMapping": "feed", "AWS::SNS::Topic": "arn:topic",
	} {
		members += `<member><ResourceType>` + kind + `</ResourceType><PhysicalResourceId>` + id + `</PhysicalResourceId></member>`
	}
	return `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>` + members + `</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`
}()

func examine(t *testing.T, a account) (string, error) {
	t.Helper()
	return examineWith(t, a, nil)
}

func examineWith(t *testing.T, a account, options map[string]any) (string, error) {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_FREETIER", server.URL)
	config, err := deployment.ReadConfig(options)
	if err != nil {
		t.Fatal(err)
	}
	d := &doctor{config: config, here: deployment.Place{Account: "123456789012", Region: "eu-west-1"}, aws: aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}}
	if err := d.findStack(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = d.examine(t.Context(), &out)
	return out.String(), err
}

var ready = account{plan: "PAID", hasRole: true, bootstrap: "30", concurrent: 1000, shards: 200, workgroups: `"primary"`}

func TestAnAccountThatIsReadyIsSaidToBe(t *testing.T) {
	text, err := examine(t, ready)
	if err != nil || strings.Contains(text, "fails") || strings.Contains(text, "unknown") || !strings.Contains(text, "Nothing is deployed yet") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestEachObstacleIsNamedWithItsRemedy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*account)
		want   []string
	}{
		"free plan":          {func(a *account) { a.plan = "FREE" }, []string{"RDS refuses t4g.small", "upgrade to the paid plan"}},
		"no database so far": {func(a *account) { a.hasRole = false }, []string{"lacks AWSServiceRoleForRDS", "create-service-linked-role"}},
		"not bootstrapped":   {func(a *account) { a.bootstrap = "" }, []string{"has not been bootstrapped", "npx cdk bootstrap"}},
		"an old bootstrap":   {func(a *account) { a.bootstrap = "5" }, []string{"version 5, want 6", "npx cdk bootstrap"}},
		"a low quota":        {func(a *account) { a.concurrent = 5 }, []string{"5 functions at once", "want 9", "Service Quotas"}},
		"a full region":      {func(a *account) { a.shards = 1 }, []string{"1 of 1 shards are taken", "Shards per Region"}},
		"a name of Glue's":   {func(a *account) { a.database = true }, []string{"Glue database", "recsys is there already"}},
		"a name of Athena's": {func(a *account) { a.workgroups = `"recsys"` }, []string{"Athena workgroup", "recsys is there already"}},
		"a half-made stack":  {func(a *account) { a.stack, a.mapping, a.confirmed = "ROLLBACK_FAILED", "Enabled", true }, []string{"ROLLBACK_FAILED", "deletion protection"}},
		"a feed that is off": {func(a *account) { a.stack, a.mapping, a.confirmed = "CREATE_COMPLETE", "Disabled", true }, []string{"no record is answered", "update-event-source-mapping"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := ready
			c.change(&a)
			text, err := examine(t, a)
			if !errors.Is(err, errFails) || strings.Count(text, "  fails") != 1 {
				t.Errorf("%v\n%s", err, text)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
		})
	}
}

// A new account has 10 calls, and Lambda keeps 100 unreserved.
func TestReservedCallsMustLeaveEnough(t *testing.T) {
	a := ready
	for concurrent, fails := range map[int]bool{10: true, 100: true, 101: false, 1000: false} {
		a.concurrent = concurrent
		text, err := examineWith(t, a, map[string]any{"reserveConcurrency": "true"})
		if errors.Is(err, errFails) != fails || strings.Contains(text, "leave reserveConcurrency out") != fails {
			t.Errorf("with %d calls: %v\n%s", concurrent, err, text)
		}
	}
}

// This account may not see the alarms. That is unknown, and fails nothing.
func TestADeploymentThatIsConnected(t *testing.T) {
	a := ready
	a.stack, a.mapping, a.confirmed, a.database, a.workgroups = "UPDATE_COMPLETE", "Enabled", true, true, `"recsys"`
	text, err := examine(t, a)
	if err != nil || strings.Count(text, "unknown") != 1 || strings.Contains(text, "warning") {
		t.Errorf("%v\n%s", err, text)
	}
	a.confirmed = false
	if text, err = examine(t, a); err != nil || !strings.Contains(text, "open the mail from AWS and confirm") {
		t.Errorf("%v\n%s", err, text)
	}
}
