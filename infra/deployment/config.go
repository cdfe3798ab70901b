// Package deployment is how a deployment is configured: its options, the file of its environment, and the limits of AWS
// that follow from them. The CDK app reads it, and so does the doctor.
//
// Promise: a wrong option, and a combination that AWS would refuse, is one line that names it.
package deployment

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // names of time zones, whatever the machine has

	"recsys/shared/contract/settings"
)

// Config is every option of a deployment, given as `cdk deploy -c alarmEmail=…`, under "context" in cdk.json, or in an
// environment's file. Lists are separated by commas.
type Config struct {
	// Name is the stack's name, and what the Glue database, the Athena workgroup and the dashboard are called.
	Name string `option:"name" default:"recsys"`
	// Stage is dev, where `cdk destroy` leaves nothing, or prod, which keeps data and guards it from deletion.
	Stage string `option:"stage" default:"dev" oneof:"dev prod"`
	// Protect guards prod's databases from deletion. Switch it off for the first deployment alone: if that fails,
	// CloudFormation could not take the databases away again. It does nothing in stage dev.
	Protect bool `option:"protect" default:"true"`
	// HighAvailability puts the databases and the endpoints into two availability zones instead of one.
	HighAvailability bool `option:"highAvailability"`

	// VpcID is an existing VPC; default: a new one without a way to the internet. Its subnets must reach S3, Firehose
	// and Secrets Manager, by endpoints of their own or through a NAT gateway.
	VpcID string `option:"vpcId" pattern:"^vpc-[0-9a-f]+$"`
	// SubnetIDs are subnets of VpcID in at least two availability zones.
	SubnetIDs []string `option:"subnetIds" pattern:"^subnet-[0-9a-f]+$"`
	// AvailabilityZones are the two zones of a new VPC; default: the region's first two. Name others if Lambda or RDS does
	// not serve one of those, as in some accounts in us-east-1.
	AvailabilityZones []string `option:"availabilityZones" pattern:"^[a-z]{2}(-[a-z0-9]+)+-[0-9][a-z]$"`
	// S3PrefixListID is the region's managed prefix list of S3 (`aws ec2 describe-managed-prefix-lists`). With it,
	// functions in a new VPC may open connections to S3's addresses and to nothing else outside; default: to any address,
	// which a VPC of our own has no route to.
	S3PrefixListID string `option:"s3PrefixListId" pattern:"^pl-[0-9a-f]+$"`

	Source
	Vectors
	Batch
	Stream
	// Options say how something is learned, judged or recommended, and what of it a function gets; infra/local takes the same.
	Options settings.Options

	// AnswerRetentionDays is how long the answers of the stream are kept. They hold customers' data.
	AnswerRetentionDays int `option:"answerRetentionDays" default:"365" min:"1" max:"3650"`
	// AlarmEmail is told of alarms, failures and successes; default: nobody, and the topic can be subscribed to later.
	AlarmEmail string `option:"alarmEmail" pattern:"^[^@\\s]+@[^@\\s]+$"`
	// BudgetUSD is what the account may cost a month before AlarmEmail is told; default: no budget.
	BudgetUSD int `option:"budgetUSD" default:"0" min:"0" max:"1000000"`
	// LogRetentionDays is how long logs are kept.
	LogRetentionDays int `option:"logRetentionDays" default:"30" oneof:"1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1827 3653"`
}

// Source is the shop's MySQL: an existing one by its host, else a small one of our own that holds the sample shop.
type Source struct {
	// SourceHost is an existing MySQL's host name, as its certificate has it, in VpcID.
	SourceHost string `option:"sourceHost" pattern:"^[A-Za-z0-9.-]+$"`
	SourcePort int    `option:"sourcePort" default:"3306" min:"1" max:"65535"`
	// SourceDatabase is the schema to read.
	SourceDatabase string `option:"sourceDatabase" default:"classicmodels" pattern:"^[A-Za-z0-9_$]+$"`
	// SourceUser is who reads it: select on customers, products and ratings is enough.
	SourceUser string `option:"sourceUser" default:"recsys_reader" pattern:"^[A-Za-z0-9_.-]+$"`
	// SourceSecretARN is the Secrets Manager secret with the user's password, as {"password":"…"}, encrypted with
	// Secrets Manager's own key. Without it the functions authenticate with IAM and SourceResourceID is needed.
	SourceSecretARN string `option:"sourceSecretArn" pattern:"^arn:[a-z-]+:secretsmanager:"`
	// SourceResourceID is the existing RDS instance's or cluster's resource id, for IAM authentication.
	SourceResourceID string `option:"sourceResourceId" pattern:"^(db|cluster)-[A-Z0-9]+$"`
	// SourceSecurityGroupID is the existing MySQL's security group; the functions are let in. Default: they are already.
	SourceSecurityGroupID string `option:"sourceSecurityGroupId" pattern:"^sg-[0-9a-f]+$"`
	// SourceInstance is the type of our own MySQL, which is private, encrypted and Graviton.
	SourceInstance string `option:"sourceInstance" default:"t4g.micro" pattern:"^[a-z0-9]+g[a-z]*\\.[a-z0-9]+$"`
}

// Vectors is the PostgreSQL with pgvector.
type Vectors struct {
	// VectorInstance is its type, Graviton. The active index should fit into its memory: an item takes 4 bytes a
	// dimension and some hundred beside.
	VectorInstance string `option:"vectorInstance" default:"t4g.small" pattern:"^[a-z0-9]+g[a-z]*\\.[a-z0-9]+$"`
	// VectorStorageGiB is its storage at first; it grows by itself to ten times as much.
	VectorStorageGiB int `option:"vectorStorageGiB" default:"20" min:"20" max:"6000"`
	// BackupWindow and MaintenanceWindow are those of both databases, in UTC. Default: four and five hours after the
	// start of the scheduled run, the latter on Sundays.
	BackupWindow      string `option:"backupWindow" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"`
	MaintenanceWindow string `option:"maintenanceWindow" pattern:"^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$"`
}

// Batch is the workflow.
type Batch struct {
	// Schedule is when it runs, as EventBridge Scheduler spells it, or "off".
	Schedule string `option:"schedule" default:"cron(0 2 * * ? *)" pattern:"^(off|(cron|rate)\\(.+\\))$"`
	// ScheduleTimezone is an IANA name.
	ScheduleTimezone string `option:"scheduleTimezone" default:"UTC"`
	// SuccessWithinHours is how long the schedule may go without a success before the alarm: a day and two hours for a
	// nightly one. It is ignored when the schedule is off.
	SuccessWithinHours int `option:"successWithinHours" default:"26" min:"1" max:"168"`
	// RowsPerRange is how many ratings a branch works on. Its files lie in a function's ephemeral storage.
	RowsPerRange int `option:"rowsPerRange" default:"250000" min:"1000" max:"5000000"`
	// MaxConcurrency is how many branches run at once, which is also how many connections the source must bear.
	MaxConcurrency int `option:"maxConcurrency" default:"8" min:"1" max:"40"`
	// Train has a model of our own trained by each run of all stages, as long as nothing is handed over. An execution's
	// input {"train":true} or {"train":false} goes before it.
	Train bool `option:"train" default:"true"`
	// RunRetentionDays is how long runs/ (plans, raw extracts, quarantine) is kept, and what was trained beside its version. Snapshots are kept by number.
	RunRetentionDays int `option:"runRetentionDays" default:"14" min:"2" max:"3650"`
}

// Stream is the way from Kinesis to the recommendations.
type Stream struct {
	// Shards take 1 MB or 1,000 records a second each.
	Shards int `option:"shards" default:"1" min:"1" max:"500"`
	// StreamRetentionHours is how long records wait in Kinesis at most.
	StreamRetentionHours int `option:"streamRetentionHours" default:"24" min:"24" max:"8760"`
	// Parallelization is how many calls work on one shard at once. It is no option of one machine, which makes one.
	Parallelization int `option:"parallelization" default:"1" min:"1" max:"10"`
	// DeliverySeconds is how long Firehose collects before it writes an object.
	DeliverySeconds int `option:"deliverySeconds" default:"300" min:"60" max:"900"`
}

// GlueDatabase is the name of the Glue database: the stack's, as Athena can spell it.
func (c Config) GlueDatabase() string { return strings.ReplaceAll(c.Name, "-", "_") }

// Prod tells whether data outlives the stack.
func (c Config) Prod() bool { return c.Stage == "prod" }

// OwnsSource tells whether the stack has a MySQL of its own.
func (c Config) OwnsSource() bool { return c.SourceHost == "" }

// Scheduled tells whether the workflow runs by itself.
func (c Config) Scheduled() bool { return c.Schedule != "off" }

// ReadConfig reads the options from cdk's context: strings from the command line, any JSON from cdk.json. The
// error names every option that is wrong, in one line.
func ReadConfig(context map[string]any) (Config, error) {
	var c Config
	r := reader{context: context, known: map[string]bool{}}
	r.read(reflect.ValueOf(&c).Elem())
	c.Options = r.options()
	r.refuseUnknown()
	if len(r.faults) == 0 {
		r.faults = c.contradictions()
	}
	if len(r.faults) > 0 {
		return c, errors.New("configuration: " + strings.Join(r.faults, "; "))
	}
	return c, nil
}

// contradictions are what no single option shows.
func (c Config) contradictions() (faults []string) {
	check := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	check(!regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`).MatchString(c.Name), "name is %q: want up to 40 of a-z, 0-9 and -", c.Name)
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
	check(len(c.AvailabilityZones) != 0 && (len(c.AvailabilityZones) != 2 || c.VpcID != ""), "availabilityZones are two, and of a new VPC")
	check(c.BudgetUSD > 0 && c.AlarmEmail == "", "budgetUSD needs alarmEmail, which is told")
	calls := c.Shards * c.Parallelization
	check(MemoryGiB(c.VectorInstance) == 0, "vectorInstance is %q: its size is unknown", c.VectorInstance)
	check(calls > maxCalls(c.VectorInstance), "shards × parallelization is %d: vectorInstance %s has connections for %d calls at once; take a larger one",
		calls, c.VectorInstance, maxCalls(c.VectorInstance))
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

// reader fills in a Config by its tags.
type reader struct {
	context map[string]any
	known   map[string]bool
	faults  []string
}

func (r *reader) read(target reflect.Value) {
	for i := range target.NumField() {
		field, tag := target.Field(i), target.Type().Field(i)
		name := tag.Tag.Get("option")
		if tag.Anonymous {
			r.read(field)
		}
		if name == "" {
			continue
		}
		r.known[name] = true
		if err := set(field, tag.Tag, r.text(name, tag.Tag.Get("default"))); err != nil {
			r.faults = append(r.faults, fmt.Sprintf("%s %v", name, err))
		}
	}
}

// options reads those that settings knows.
func (r *reader) options() settings.Options {
	given := map[string]string{}
	for _, name := range settings.OptionNames() {
		r.known[name] = true
		if _, set := r.context[name]; set {
			given[name] = r.text(name, "")
		}
	}
	options, err := settings.ParseOptions(given)
	if err != nil {
		r.faults = append(r.faults, strings.Split(err.Error(), "\n")...)
	}
	return options
}

func (r *reader) text(name, otherwise string) string {
	switch value := r.context[name].(type) {
	case nil:
		return otherwise
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case []any:
		parts := make([]string, len(value))
		for i := range value {
			parts[i] = fmt.Sprint(value[i])
		}
		return strings.Join(parts, ",")
	default:
		return strings.TrimSpace(fmt.Sprint(value))
	}
}

// ours tells an option from what the CDK itself keeps in the context, such as feature flags and lookups.
var ours = regexp.MustCompile(`^[A-Za-z0-9]+$`)

func (r *reader) refuseUnknown() {
	var unknown []string
	for name := range r.context {
		if ours.MatchString(name) && !r.known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		r.faults = append(r.faults, name+" is no option: infra/deployment/config.go lists them")
	}
}

// set parses an option's text and holds it to the field's oneof, pattern, min and max.
func set(field reflect.Value, tag reflect.StructTag, text string) error {
	if allowed := strings.Fields(tag.Get("oneof")); len(allowed) > 0 && !slices.Contains(allowed, text) {
		return fmt.Errorf("is %q: want one of %s", text, strings.Join(allowed, ", "))
	}
	if text == "" {
		return nil
	}
	switch field.Kind() {
	case reflect.Bool:
		value, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("is %q: want true or false", text)
		}
		field.SetBool(value)
	case reflect.Int:
		return setInt(field, tag, text)
	case reflect.Slice:
		for part := range strings.SplitSeq(text, ",") {
			part = strings.TrimSpace(part)
			if err := match(tag, part); err != nil {
				return err
			}
			field.Set(reflect.Append(field, reflect.ValueOf(part)))
		}
	default:
		field.SetString(text)
		return match(tag, text)
	}
	return nil
}

func setInt(field reflect.Value, tag reflect.StructTag, text string) error {
	value, err := strconv.Atoi(text)
	low, lowErr := strconv.Atoi(tag.Get("min"))
	high, highErr := strconv.Atoi(tag.Get("max"))
	if err != nil || lowErr == nil && value < low || highErr == nil && value > high {
		return fmt.Errorf("is %q: want a whole number from %s to %s", text, tag.Get("min"), tag.Get("max"))
	}
	field.SetInt(int64(value))
	return nil
}

func match(tag reflect.StructTag, text string) error {
	if pattern := tag.Get("pattern"); pattern != "" && !regexp.MustCompile(pattern).MatchString(text) {
		return fmt.Errorf("is %q: want %s", text, pattern)
	}
	return nil
}
