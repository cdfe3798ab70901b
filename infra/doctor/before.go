package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"recsys/infra/deployment"
)

// before are the checks of an account that a deployment is about to be made in.
func (d *doctor) before() []check {
	checks := []check{
		{"region", d.region}, {"plan", d.plan}, {"RDS role", d.databaseRole}, {"CDK bootstrap", d.bootstrap}, {"Lambda quota", d.quota}, {"Kinesis quota", d.shards},
	}
	if d.stack == nil {
		checks = append(checks, check{"Glue database", d.glueDatabase}, check{"Athena workgroup", d.workgroup})
	}
	return checks
}

func (d *doctor) region(context.Context) Finding {
	if err := deployment.CheckRegion(d.here.Region); err != nil {
		return bad("deploy to another region", "%v", err)
	}
	return good("%s", d.here.Region)
}

// plan tells of AWS's free plan, which refuses the vector database's instance.
func (d *doctor) plan(ctx context.Context) Finding {
	plan, err := planOf(ctx, d.aws)
	switch {
	case err != nil:
		return unknown(err)
	case plan != "FREE":
		return good("%s", strings.ToLower(plan))
	}
	return bad("upgrade to the paid plan, in the billing console",
		"free: RDS refuses %s and backups of more than a day", d.config.VectorInstance)
}

// databaseRole tells of the role that RDS works under, which an account lacks that has never had a database.
func (d *doctor) databaseRole(ctx context.Context) Finding {
	_, err := iam.NewFromConfig(d.aws).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("AWSServiceRoleForRDS")})
	switch {
	case isCode(err, "NoSuchEntity"):
		return bad("aws iam create-service-linked-role --aws-service-name rds.amazonaws.com", "the account has never had a database, and lacks AWSServiceRoleForRDS")
	case err != nil:
		return unknown(err)
	}
	return good("AWSServiceRoleForRDS is there")
}

// leastBootstrap is the version of the CDK's own stack that templates with assets need.
// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
const leastBootstrap = 6

func (d *doctor) bootstrap(ctx context.Context) Finding {
	const do = "npx cdk bootstrap"
	answer, err := ssm.NewFromConfig(d.aws).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/cdk-bootstrap/hnb659fds/version")})
	switch {
	case isCode(err, "ParameterNotFound"):
		return bad(do, "the CDK has not been bootstrapped in this account and region")
	case err != nil:
		return unknown(err)
	}
	version, err := strconv.Atoi(aws.ToString(answer.Parameter.Value))
	if err != nil || version < leastBootstrap {
		return bad(do, "version %s, want %d or newer", aws.ToString(answer.Parameter.Value), leastBootstrap)
	}
	return good("version %d", version)
}

// leastUnreserved is how many calls Lambda keeps unreserved.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const leastUnreserved = 100

func (d *doctor) reserved() int {
	if !d.config.ReserveConcurrency {
		return 0
	}
	return d.config.StreamCalls()
}

func (d *doctor) quota(ctx context.Context) Finding {
	answer, err := lambda.NewFromConfig(d.aws).GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return unknown(err)
	}
	limits := answer.AccountLimit
	if limits == nil {
		return Finding{Verdict: Unknown, Seen: "Lambda named no limit"}
	}
	want, may := d.config.MaxConcurrency+d.config.StreamCalls(), int(limits.ConcurrentExecutions)
	if reserved := d.reserved(); reserved > 0 && may-reserved < leastUnreserved {
		return bad("leave reserveConcurrency out, or ask for more: Service Quotas, Lambda, Concurrent executions",
			"%d functions at once: Lambda wants %d unreserved, and reserveConcurrency takes %d", may, leastUnreserved, reserved)
	}
	if want > may {
		return bad("lower maxConcurrency, or ask for more: Service Quotas, Lambda, Concurrent executions", "%d functions at once, the workflow and the stream want %d", may, want)
	}
	return good("%d functions at once, of which %d are wanted", may, want)
}

// shards tells whether the region has room for the stream.
func (d *doctor) shards(ctx context.Context) Finding {
	answer, err := kinesis.NewFromConfig(d.aws).DescribeLimits(ctx, &kinesis.DescribeLimitsInput{})
	if err != nil {
		return unknown(err)
	}
	may, open := int(aws.ToInt32(answer.ShardLimit)), int(aws.ToInt32(answer.OpenShardCount))
	if d.stack == nil && open+d.config.Shards > may {
		return bad("lower shards, or ask for more: Service Quotas, Kinesis Data Streams, Shards per Region", "%d of %d shards are taken, and the stream wants %d", open, may, d.config.Shards)
	}
	return good("%d of %d shards are taken", open, may)
}

// glueDatabase tells of a name that is taken. Glue's and Athena's names are fixed, so another stack's would clash.
func (d *doctor) glueDatabase(ctx context.Context) Finding {
	name := d.config.GlueDatabase()
	_, err := glue.NewFromConfig(d.aws).GetDatabase(ctx, &glue.GetDatabaseInput{Name: &name})
	if err != nil && !isCode(err, "EntityNotFoundException") {
		return unknown(err)
	}
	return free(name, err != nil)
}

func (d *doctor) workgroup(ctx context.Context) Finding {
	taken := false
	pages := athena.NewListWorkGroupsPaginator(athena.NewFromConfig(d.aws), &athena.ListWorkGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return unknown(err)
		}
		for _, group := range page.WorkGroups {
			taken = taken || aws.ToString(group.Name) == d.config.Name
		}
	}
	return free(d.config.Name, !taken)
}

func free(name string, isFree bool) Finding {
	if isFree {
		return good("%s is free", name)
	}
	return bad("give the stack another name, or delete it", "%s is there already, and does not belong to this stack", name)
}
