// Package deployment is how a deployment is configured: its options, the file of its environment, and the limits of AWS
// that follow from them. The CDK app reads it, and so does the doctor.
//
// Promise: a wrong option, and a combination that AWS would refuse, is one line that names it.
package deployment

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // names of time zones, because a machine may have none

	"recsys/shared/contract/option"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/shopfile"
)

// Config is every option of a deployment, given as `cdk deploy -c alarmEmail=…`, under "context" in cdk.json, or in an
// environment's file. Lists are separated by commas.
type Config struct {
	Name string `option:"name" default:"recsys" pattern:"^[a-z][a-z0-9-]{0,39}$" text:"the name of the stack, the Glue database, the Athena workgroup and the dashboard"`
	// Stage is dev, where `cdk destroy` leaves nothing, or prod, which keeps data and guards it from deletion.
	Stage string `option:"stage" default:"dev" oneof:"dev prod" text:"how long data lives"`
	// Protect is switched off for the first deployment alone. If that fails, CloudFormation could not take the databases
	// away again. It does nothing in stage dev.
	Protect          bool `option:"protect" default:"true" text:"guards prod's databases from deletion"`
	HighAvailability bool `option:"highAvailability" default:"false" text:"databases and endpoints in two availability zones instead of one"`

	// VpcID is auto for a new one without a way to the internet. The subnets of an existing one must reach S3, Firehose
	// and Secrets Manager, by endpoints of their own or through a NAT gateway.
	VpcID     string   `option:"vpcId" default:"auto" pattern:"^vpc-[0-9a-f]+$" text:"an existing VPC. auto: a new one"`
	SubnetIDs []string `option:"subnetIds" default:"auto" pattern:"^subnet-[0-9a-f]+$" text:"subnets of vpcId in at least two availability zones"`
	// AvailabilityZones other than the first two are for regions in which Lambda or RDS does not serve one of those, as in
	// some accounts in us-east-1.
	AvailabilityZones []string `option:"availabilityZones" default:"auto" pattern:"^[a-z]{2}(-[a-z0-9]+)+-[0-9][a-z]$" text:"the two zones of a new VPC. auto: the region's first two"`
	// S3PrefixListID is shown by `aws ec2 describe-managed-prefix-lists`. With it, functions in a new VPC may open
	// connections to S3's addresses and to nothing else outside. With none they may to any address, which a VPC of our own
	// has no route to.
	S3PrefixListID string `option:"s3PrefixListId" default:"none" pattern:"^pl-[0-9a-f]+$" text:"the region's managed prefix list of S3"`

	Source
	Vectors
	Batch
	Stream
	HTTP
	// ShopFile stands relative to the repository. The deployment carries a copy of it.
	ShopFile string `option:"shop" default:"none" pattern:"\\.ya?ml$" text:"the file that describes a shop with tables of its own, as docs/shops/sakila.yaml. none: the tables of the sample shop"`
	// Shop is read from ShopFile.
	Shop shape.Shop
	// Options say how the product works. infra/local takes the same.
	settings.Options

	// AnswerRetentionDays is about customers' data.
	AnswerRetentionDays int `option:"answerRetentionDays" default:"365" min:"1" max:"3650" text:"how long the answers of the stream are kept"`
	// AccessLogsBucket has a policy that lets logging.s3.amazonaws.com put objects.
	AccessLogsBucket string `option:"accessLogsBucket" default:"none" pattern:"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$" text:"an existing bucket of the account and region, which S3 writes access logs to"`
	AlarmEmail       string `option:"alarmEmail" default:"none" pattern:"^[^@\\s]+@[^@\\s]+$" text:"is told of alarms, failures and successes"`
	BudgetUSD        int    `option:"budgetUSD" default:"0" min:"0" max:"1000000" text:"the account's cost a month above which alarmEmail is told. 0: no budget"`
	LogRetentionDays int    `option:"logRetentionDays" default:"30" oneof:"1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1827 3653" text:"how long logs are kept"`
}

// Source is the shop's MySQL: an existing one by its host, else a small one of our own that holds the sample shop.
type Source struct {
	SourceHost     string `option:"sourceHost" default:"none" pattern:"^[A-Za-z0-9.-]+$" text:"an existing MySQL's host name in vpcId, as its certificate has it"`
	SourcePort     int    `option:"sourcePort" default:"3306" min:"1" max:"65535" text:"an existing MySQL's port"`
	SourceDatabase string `option:"sourceDatabase" default:"classicmodels" pattern:"^[A-Za-z0-9_$]+$" text:"the schema to read"`
	// SourceUser needs select on customers, products and ratings.
	SourceUser string `option:"sourceUser" default:"recsys_reader" pattern:"^[A-Za-z0-9_.-]+$" text:"the user who reads it"`
	// SourceSecretARN is encrypted with Secrets Manager's own key. Without it the functions authenticate with IAM, and
	// SourceResourceID is needed.
	SourceSecretARN       string `option:"sourceSecretArn" default:"none" pattern:"^arn:[a-z-]+:secretsmanager:" text:"the secret with the user's password, as {password: …}"`
	SourceResourceID      string `option:"sourceResourceId" default:"none" pattern:"^(db|cluster)-[A-Z0-9]+$" text:"the existing RDS instance's or cluster's resource id, for IAM authentication"`
	SourceSecurityGroupID string `option:"sourceSecurityGroupId" default:"none" pattern:"^sg-[0-9a-f]+$" text:"the existing MySQL's security group, which lets the functions in. none: they are let in already"`
	// SourceInstance is private, encrypted and Graviton.
	SourceInstance string `option:"sourceInstance" default:"t4g.micro" pattern:"^[a-z0-9]+g[a-z]*\\.[a-z0-9]+$" text:"the type of our own MySQL"`
}

// Vectors is the PostgreSQL with pgvector.
type Vectors struct {
	// VectorInstance is Graviton. The active index should fit into its memory: an item takes 4 bytes a dimension and some
	// hundred more.
	VectorInstance   string `option:"vectorInstance" default:"t4g.small" pattern:"^[a-z0-9]+g[a-z]*\\.[a-z0-9]+$" text:"the type of the vector database"`
	VectorStorageGiB int    `option:"vectorStorageGiB" default:"20" min:"20" max:"6000" text:"its storage at first, which grows by itself to ten times as much"`
	// BackupWindow and MaintenanceWindow are those of both databases, in UTC.
	BackupWindow      string `option:"backupWindow" default:"auto" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$" text:"when both databases are saved. auto: four hours after the start of the scheduled run"`
	MaintenanceWindow string `option:"maintenanceWindow" default:"auto" pattern:"^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$" text:"when both are patched. auto: five hours after the start, on Sundays"`
}

// Batch is the workflow.
type Batch struct {
	// Schedule is as EventBridge Scheduler spells it.
	Schedule         string `option:"schedule" default:"cron(0 2 * * ? *)" pattern:"^(off|(cron|rate)\\(.+\\))$" text:"when the workflow runs, or off"`
	ScheduleTimezone string `option:"scheduleTimezone" default:"UTC" text:"an IANA name"`
	// SuccessWithinHours is a day and two hours for a nightly schedule. It is ignored if the schedule is off.
	SuccessWithinHours int `option:"successWithinHours" default:"26" min:"1" max:"168" text:"how long the schedule may go without a success before the alarm"`
	// RunRetentionDays is about runs/ (plans, raw extracts, quarantine), and about trained artifacts next to their version.
	// Snapshots are kept by number.
	RunRetentionDays int `option:"runRetentionDays" default:"14" min:"2" max:"3650" text:"how long the files of runs are kept"`
}

// Stream is the way from Kinesis to the recommendations.
type Stream struct {
	Shards               int `option:"shards" default:"1" min:"1" max:"500" text:"each takes 1 MB or 1,000 records a second"`
	StreamRetentionHours int `option:"streamRetentionHours" default:"24" min:"24" max:"8760" text:"how long records wait in Kinesis at most"`
	// Parallelization is no option of one machine, which makes one call.
	Parallelization int `option:"parallelization" default:"1" min:"1" max:"10" text:"calls at once on one shard"`
	// ReserveConcurrency wants 100 calls to stay unreserved, because Lambda does. A new account has fewer.
	ReserveConcurrency bool `option:"reserveConcurrency" default:"false" text:"sets shards × parallelization calls of the account's quota aside for recommend, and apiCalls for the API"`
	// DeliverySeconds of 0 writes within seconds, and many small objects.
	DeliverySeconds int `option:"deliverySeconds" default:"300" min:"0" max:"900" text:"how long Firehose collects before it writes an object. 0: as soon as it can"`
	// EventBus is in the account and region of the deployment. Firehose takes the answers all the same.
	EventBus string `option:"eventBus" default:"none" pattern:"^[A-Za-z0-9._-]{1,256}$" text:"an existing EventBridge bus that the answers also go to, as default"`
}

// HTTP is the API for recommendations.
type HTTP struct {
	API string `option:"api" default:"iam" oneof:"iam off" text:"an HTTP API for recommendations, whose callers sign requests with IAM"`
	// APIRate is that of all callers together. Twice as many may come at once.
	APIRate int `option:"apiRate" default:"100" min:"1" max:"10000" text:"requests a second that the API takes"`
	// APICalls is held by reserveConcurrency alone. Without it, it is what apiRate should need: a request takes some hundredths of a second.
	APICalls int `option:"apiCalls" default:"5" min:"1" max:"1000" text:"requests that the API answers at once, each with connections of the vector database"`
	// APIIssuer and APIAudience go together. A page of the shop asks with the token of the customer who is logged in.
	APIIssuer   string   `option:"apiIssuer" default:"none" pattern:"^https://[^\\s]+$" text:"the issuer of customers' tokens (OpenID Connect), for the routes under /v1/me. none: there are none"`
	APIAudience []string `option:"apiAudience" default:"none" pattern:"^[^\\s,]+$" text:"the audiences of those tokens"`
	APIOrigins  []string `option:"apiOrigins" default:"none" pattern:"^https?://[^\\s/,]+$" text:"origins of pages that may ask the API from a browser"`
}

// GlueDatabase is the name of the Glue database: the stack's, as Athena can spell it.
func (c Config) GlueDatabase() string { return strings.ReplaceAll(c.Name, "-", "_") }

// Prod tells whether data outlives the stack.
func (c Config) Prod() bool { return c.Stage == "prod" }

// OwnsSource tells whether the stack has a MySQL of its own.
func (c Config) OwnsSource() bool { return c.SourceHost == "" }

// Scheduled tells whether the workflow runs by itself.
func (c Config) Scheduled() bool { return c.Schedule != "off" }

// StreamCalls is how many calls of recommend the stream makes at once.
func (c Config) StreamCalls() int { return c.Shards * c.Parallelization }

// ReadConfig reads the options from cdk's context: strings from the command line, any JSON from cdk.json. The
// error names every option that is wrong, in one line.
func ReadConfig(context map[string]any) (Config, error) {
	var c Config
	faults := unknown(context)
	if err := option.Read(&c, func(name string) (string, bool) { return text(context[name]) }); err != nil {
		faults = append(faults, strings.Split(err.Error(), "\n")...)
	}
	if shop, err := shopfile.Load(c.ShopFile); err != nil {
		faults = append(faults, strings.Split("shop: "+err.Error(), "\n")...)
	} else {
		c.Shop = shop
	}
	if len(faults) == 0 {
		faults = c.contradictions()
	}
	if len(faults) > 0 {
		return c, errors.New("configuration: " + strings.Join(faults, "; "))
	}
	return c, nil
}

// ours tells an option from the CDK's own entries in the context, such as feature flags and lookups.
var ours = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// unknown names everything in the context that is meant to be an option and is none.
func unknown(context map[string]any) (faults []string) {
	known := map[string]bool{}
	for _, field := range option.Fields(Config{}) {
		known[field.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		if ours.MatchString(name) && !known[name] {
			faults = append(faults, name+" is no option: infra/deployment/config.go and shared/contract/settings list them")
		}
	}
	return faults
}

// text returns a value of the context as a person would type it. It is false for an option that is not given.
func text(value any) (string, bool) {
	switch value := value.(type) {
	case nil:
		return "", false
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	case []any:
		parts := make([]string, len(value))
		for i := range value {
			parts[i] = fmt.Sprint(value[i])
		}
		return strings.Join(parts, ","), true
	default:
		return fmt.Sprint(value), true
	}
}

// contradictions are faults that no single option shows.
func (c Config) contradictions() (faults []string) {
	check := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	check((c.VpcID == "") != (len(c.SubnetIDs) == 0), "vpcId and subnetIds come together")
	check(c.VpcID != "" && c.S3PrefixListID != "",
		"s3PrefixListId is of a new VPC: in yours the functions have to reach Firehose and Secrets Manager, too")
	check(len(c.SubnetIDs) == 1, "subnetIds is one subnet: RDS wants two, in two availability zones")
	check(!c.OwnsSource() && c.VpcID == "", "sourceHost needs vpcId and subnetIds: a new VPC has no way to it")
	check(!c.OwnsSource() && net.ParseIP(c.SourceHost) != nil, "sourceHost is an address: want the name that its certificate has")
	check(!c.OwnsSource() && (c.SourceSecretARN == "") == (c.SourceResourceID == ""),
		"sourceHost needs either sourceSecretArn (a password) or sourceResourceId (IAM authentication)")
	check(c.OwnsSource() && c.SourceSecretARN+c.SourceResourceID+c.SourceSecurityGroupID != "",
		"sourceSecretArn, sourceResourceId and sourceSecurityGroupId are of an existing MySQL: sourceHost is missing")
	check(c.OwnsSource() && c.SourcePort != 3306, "sourcePort is of an existing MySQL: sourceHost is missing")
	check(c.OwnsSource() && !plainName.MatchString(c.SourceUser), "sourceUser is %q: want up to 32 letters, digits and _ for a MySQL of our own", c.SourceUser)
	check(c.OwnsSource() && c.SourceUser == SourceAdmin, "sourceUser is %q, the administrator of our own MySQL: want another", c.SourceUser)
	check(c.OwnsSource() && !plainName.MatchString(c.SourceDatabase), "sourceDatabase is %q: want letters, digits and _, the first no digit, for a MySQL of our own", c.SourceDatabase)
	check(!c.Shop.IsLab() && !c.Shop.InFiles() && c.OwnsSource(), "shop needs sourceHost: a MySQL of our own holds the sample shop, of which the functions may read nothing else than its ratings")
	check(c.Shop.Source.Database != "" && c.Shop.Source.Database != c.SourceDatabase,
		"the shop file %s is for the database %s: give sourceDatabase=%[2]s", c.ShopFile, c.Shop.Source.Database)
	check(len(c.AvailabilityZones) != 0 && (len(c.AvailabilityZones) != 2 || c.VpcID != ""), "availabilityZones are two, and of a new VPC")
	check(c.BudgetUSD > 0 && c.AlarmEmail == "", "budgetUSD needs alarmEmail, which is told")
	check((c.APIIssuer == "") != (len(c.APIAudience) == 0), "apiIssuer and apiAudience come together")
	calls := c.StreamCalls()
	check(MemoryGiB(c.VectorInstance) == 0, "vectorInstance is %q: its size is unknown", c.VectorInstance)
	check(calls > maxCalls(c.VectorInstance), "shards × parallelization is %d: vectorInstance %s has connections for %d calls at once; take a larger one",
		calls, c.VectorInstance, maxCalls(c.VectorInstance))
	if c.API != "off" {
		check(calls <= maxCalls(c.VectorInstance) && calls+c.APICalls > maxCalls(c.VectorInstance),
			"shards × parallelization and apiCalls are %d together: vectorInstance %s has connections for %d calls at once; take a larger one, or fewer apiCalls",
			calls+c.APICalls, c.VectorInstance, maxCalls(c.VectorInstance))
	}
	return append(faults, c.timeFaults()...)
}

// SourceAdmin is the master user of a MySQL of our own.
const SourceAdmin = "admin"

// plainName is a name that SQL needs no quotes for, as the sample shop's loader wants it.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,31}$`)

func (c Config) timeFaults() (faults []string) {
	if _, err := time.LoadLocation(c.ScheduleTimezone); err != nil || c.ScheduleTimezone == "" || c.ScheduleTimezone == "Local" {
		return []string{fmt.Sprintf("scheduleTimezone is %q: want a name such as Europe/Paris", c.ScheduleTimezone)}
	}
	for name, window := range map[string]string{"backupWindow": c.DatabaseBackupWindow(), "maintenanceWindow": c.DatabaseMaintenanceWindow()} {
		if c.disturbs(window) {
			faults = append(faults, fmt.Sprintf("%s %s UTC falls into the run that starts by schedule %s %s: move one of them by some hours", name, window, c.Schedule, c.ScheduleTimezone))
		}
	}
	slices.Sort(faults)
	if overlap(c.DatabaseBackupWindow(), c.DatabaseMaintenanceWindow()) {
		faults = append(faults, "backupWindow and maintenanceWindow overlap: move one of them")
	}
	return faults
}
