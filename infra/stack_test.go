package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/infra/deployment"
	"recsys/shared/contract/option"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/sampleshop"
)

func TestNobodyOutsideGetsIn(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		for _, kind := range []string{"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Route", "AWS::Lambda::Url"} {
			if found := s.of(kind); len(found) > 0 {
				t.Errorf("%s: %v", kind, found)
			}
		}
		for id, group := range s.of("AWS::EC2::SecurityGroup") {
			if group.Properties["SecurityGroupIngress"] != nil {
				t.Errorf("%s lets in %v: want single rules, from the functions' group", id, group.Properties["SecurityGroupIngress"])
			}
		}
		for id, rule := range s.of("AWS::EC2::SecurityGroupIngress") {
			if rule.Properties["SourceSecurityGroupId"] == nil || strings.Contains(rule.text(), "Cidr") {
				t.Errorf("%s: %s", id, rule.text())
			}
		}
		for id, database := range s.of("AWS::RDS::DBInstance") {
			if p := database.Properties; p["PubliclyAccessible"] != false {
				t.Errorf("%s is public", id)
			}
		}
		for id, bucket := range s.of("AWS::S3::Bucket") {
			for _, setting := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
				if bucket.Properties["PublicAccessBlockConfiguration"].(map[string]any)[setting] != true {
					t.Errorf("%s: %s is not set", id, setting)
				}
			}
		}
	})
}

// Ways to any address are given to the functions only, on the port of HTTPS, which a VPC of ours has no route for.
// In an existing VPC they are also given to its DNS servers, and to its MySQL if nobody said which group that has.
func TestWaysOutAreFew(t *testing.T) {
	anywhere := func(s template) (ports []string) {
		for id, group := range s.of("AWS::EC2::SecurityGroup") {
			egress, _ := group.Properties["SecurityGroupEgress"].([]any)
			for _, rule := range egress {
				rule := rule.(map[string]any)
				if rule["CidrIp"] == "0.0.0.0/0" {
					ports = append(ports, strings.Split(id, "Functions")[0]+" "+spell(rule["FromPort"])+"-"+spell(rule["ToPort"]))
				}
			}
		}
		slices.Sort(ports)
		return ports
	}
	own, firehoseAndSecrets := []string{"Network 443-443"}, []string{"Network 443-443", "Network 53-53", "Network 53-53"}
	for name, want := range map[string][]string{
		"dev": own, "prod": own, "every option": nil, // it names S3's addresses
		"existing, password": firehoseAndSecrets, "existing, IAM": append([]string{"Network 3306-3306"}, firehoseAndSecrets...),
	} {
		s := variant(t, name)
		if got := anywhere(s); !slices.Equal(got, want) {
			t.Errorf("%s: ways to 0.0.0.0/0 %v, want %v", name, got, want)
		}
		if want == nil && strings.Contains(s.text, "0.0.0.0/0") {
			t.Errorf("%s: 0.0.0.0/0 is somewhere", name)
		}
	}
}

func TestEverythingIsEncryptedAtRestAndOnTheWay(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		for id, bucket := range s.of("AWS::S3::Bucket") {
			if !strings.Contains(bucket.text(), `"SSEAlgorithm":"AES256"`) {
				t.Errorf("%s is not encrypted", id)
			}
		}
		if policies := s.of("AWS::S3::BucketPolicy"); len(policies) != len(s.of("AWS::S3::Bucket")) {
			t.Errorf("%d bucket policies", len(policies))
		} else {
			for id, policy := range policies {
				if !strings.Contains(policy.text(), `{"Bool":{"aws:SecureTransport":"false"}}`) || !strings.Contains(policy.text(), `"s3:TlsVersion":1.2`) {
					t.Errorf("%s takes plain HTTP or old TLS: %s", id, policy.text())
				}
			}
		}
		for id, database := range s.of("AWS::RDS::DBInstance") {
			p := database.Properties
			if p["StorageEncrypted"] != true || p["EnableIAMDatabaseAuthentication"] != true || p["ManageMasterUserPassword"] != true || p["MasterUserPassword"] != nil {
				t.Errorf("%s: %s", id, database.text())
			}
		}
		for id, parameters := range s.of("AWS::RDS::DBParameterGroup") {
			if p := parameters.text(); !strings.Contains(p, `"rds.force_ssl":"1"`) && !strings.Contains(p, `"require_secure_transport":"1"`) {
				t.Errorf("%s takes connections without TLS: %s", id, p)
			}
		}
		if p := s.only(t, "AWS::Kinesis::Stream").text(); !strings.Contains(p, `"EncryptionType":"KMS"`) {
			t.Errorf("the stream: %s", p)
		}
		if p := s.only(t, "AWS::KinesisFirehose::DeliveryStream").text(); !strings.Contains(p, `"KeyType":"AWS_OWNED_CMK"`) {
			t.Errorf("the delivery stream: %s", p)
		}
		for id, function := range s.of("AWS::Lambda::Function") {
			for name, value := range environment(function) {
				if strings.HasSuffix(name, "_DSN") && !strings.HasSuffix(value, "?tls=true") ||
					strings.HasSuffix(name, "_URL") && !strings.HasSuffix(value, "?sslmode=verify-full") ||
					strings.Contains(strings.ToLower(value), "password") {
					t.Errorf("%s: %s=%s", id, name, value)
				}
			}
		}
	})
}

func environment(function resource) map[string]string {
	variables := map[string]string{}
	environment, _ := function.Properties["Environment"].(map[string]any)
	values, _ := environment["Variables"].(map[string]any)
	for name, value := range values {
		variables[name] = spell(value)
	}
	return variables
}

func TestEveryFunctionIsDeployedAsItsMeasurementsSay(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("..", "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	inVPC := []string{"api", "bootstrap-vector-store", "embedding-upload", "evaluate", "export", "extract", "load-sample-shop", "plan-extract", "recommend", "vector-index"}
	each(t, func(t *testing.T, s template) {
		deployed, roles := deployedFunctions(s), map[string]string{}
		for _, main := range folders {
			name := filepath.Base(filepath.Dir(main))
			function, ok := deployed[name]
			if !ok {
				if !(name == "load-sample-shop" && len(s.of("AWS::RDS::DBInstance")) == 1 || name == "api" && s.config.API == "off") {
					t.Errorf("functions/%s is not deployed", name)
				}
				continue
			}
			p := function.Properties
			if p["Runtime"] != "provided.al2023" || spell(p["Architectures"]) != "[arm64]" || p["Handler"] != "bootstrap" {
				t.Errorf("%s: %v %v %v", name, p["Runtime"], p["Architectures"], p["Handler"])
			}
			if memory := p["MemorySize"].(float64); memory < 256 || memory > 3008 {
				t.Errorf("%s has %v MB: a new account's quota is 3,008", name, memory)
			}
			if in := p["VpcConfig"] != nil; in != slices.Contains(inVPC, name) {
				t.Errorf("%s: in the VPC is %v", name, in)
			}
			logging := p["LoggingConfig"].(map[string]any)
			group := s.Resources[spell(logging["LogGroup"])]
			if logging["LogFormat"] != "JSON" || group.Type != "AWS::Logs::LogGroup" || group.Properties["RetentionInDays"] != float64(s.config.LogRetentionDays) {
				t.Errorf("%s logs %v to %v", name, logging, group)
			}
			role := spell(p["Role"])
			if other, taken := roles[role]; taken {
				t.Errorf("%s and %s share a role", name, other)
			}
			roles[role] = name
		}
	})
}

// learningOptions are those of package settings: another value than the default, its variable, and the functions that read it.
var learningOptions = map[string]struct{ value, variable, functions string }{
	"rowsPerRange": {"100000", "ROWS_PER_RANGE", "plan-extract"}, "maxConcurrency": {"10", "MAX_CONCURRENCY", "plan-extract"},
	"partitions": {"range", "PARTITIONS", "plan-extract"}, "customerFolders": {"5", "CUSTOMER_FOLDERS", "plan-extract"},
	"uploads": {"8", "UPLOADS", "partition-write"}, "keepSnapshots": {"5", "KEEP_SNAPSHOTS", "publish-training-data"},
	"maxRejectedFraction": {"0", "MAX_REJECTED_FRACTION", "publish-training-data"}, "train": {"false", "TRAIN_BY_DEFAULT", "train"},
	"databaseTimeout": {"5s", "DATABASE_TIMEOUT", "recommend"},
	"apiTimeout":      {"3s", "API_TIMEOUT", "api"}, "apiCustomerClaim": {"customer", "API_CUSTOMER_CLAIM", "api"},
	"shrinkShare": {"0.25", "SHRINK_SHARE", "plan-extract publish-training-data"},
	"holdOutSeed": {"7", "HOLD_OUT_SEED", "evaluate train"}, "holdOutFraction": {"0.3", "HOLD_OUT_FRACTION", "evaluate train"},
	"factors": {"64", "FACTORS", "train"}, "iterations": {"5", "ITERATIONS", "train"}, "trainSeed": {"2", "TRAIN_SEED", "train"},
	"unobservedWeight": {"0.25", "UNOBSERVED_WEIGHT", "train"}, "regularization": {"0.5", "REGULARIZATION", "train"},
	"frequencyExponent": {"0", "FREQUENCY_EXPONENT", "train"}, "featureRidge": {"9", "FEATURE_RIDGE", "train"},
	"search": {"off", "SEARCH", "train"}, "itemNeighbours": {"knn", "ITEM_NEIGHBOURS", "train"},
	"metric": {"l2", "METRIC", "embedding-upload"}, "modelCheck": {"report", "MODEL_CHECK", "embedding-upload"}, "gateTrained": {"report", "GATE_TRAINED", "evaluate"},
	"gateHandedOver": {"enforce", "GATE_HANDED_OVER", "evaluate"}, "gateMargin": {"0", "GATE_MARGIN", "evaluate"},
	"gateNeighbours": {"enforce", "GATE_NEIGHBOURS", "evaluate"}, "gateTolerance": {"0.2", "GATE_TOLERANCE", "evaluate"}, "gateCoverage": {"0.4", "GATE_COVERAGE", "evaluate"}, "hnswM": {"32", "HNSW_M", "vector-index"},
	"hnswEfConstruction": {"128", "HNSW_EF_CONSTRUCTION", "vector-index"}, "recallTarget": {"0.9", "RECALL_TARGET", "vector-index"},
	"recallQueries": {"100", "RECALL_QUERIES", "vector-index"}, "keepVersions": {"2", "KEEP_VERSIONS", "vector-index"},
	"limit": {"10", "LIMIT", "api export recommend"}, "sessionWeight": {"0", "SESSION_WEIGHT", "api export recommend"},
	"includeRated": {"true", "INCLUDE_RATED", "api export recommend"}, "includeSession": {"true", "INCLUDE_SESSION", "api export recommend"},
	"includeOutOfStock": {"true", "INCLUDE_OUT_OF_STOCK", "api export recommend"}, "trendingHalfLife": {"12h0m0s", "TRENDING_HALF_LIFE", "api export recommend"},
	"trendingItems": {"true", "TRENDING_ITEMS", "api export recommend"}, "diversity": {"0.5", "DIVERSITY", "api export recommend"}, "inMemoryUpTo": {"0", "IN_MEMORY_UP_TO", "api export recommend"},
	"export": {"all", "EXPORT", "export"}, "exportLimit": {"50", "EXPORT_LIMIT", "export"},
	"exportFormat": {"ndjson", "EXPORT_FORMAT", "export"}, "keepExports": {"7", "KEEP_EXPORTS", "export"},
	// These change the invoker of the functions. TestTheStreamIsFedInBatchesAndNothingIsLost and
	// TestFunctionsHaveTheSizesOfTheTable see them.
	"batchSize": {"100", "BATCH_SIZE", ""}, "batchWindowSeconds": {"0", "BATCH_WINDOW_SECONDS", ""},
	"maxRecordAgeSeconds": {"60", "MAX_RECORD_AGE_SECONDS", ""}, "maxAttempts": {"0", "MAX_ATTEMPTS", ""},
	"trainMemoryMiB": {"1024", "TRAIN_MEMORY_MIB", "train"},
}

// Each option changes a variable of the function that reads it, and of no other. All of them are documented.
func TestOptionsReachTheirFunctions(t *testing.T) {
	var documents strings.Builder
	for _, path := range []string{"../docs/aws.md", "../docs/stream.md", "../docs/export.md", "../docs/api.md"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		documents.Write(content)
	}
	for _, field := range option.Fields(deployment.Config{}) {
		if !strings.Contains(documents.String(), "`"+field.Name+"`") {
			t.Errorf("%s is not documented", field.Name)
		}
	}
	deployed := deployedFunctions(variant(t, "every option"))
	for option, of := range learningOptions {
		var found []string
		for name, function := range deployed {
			if value, set := environment(function)[of.variable]; set && value == of.value {
				found = append(found, name)
			}
		}
		slices.Sort(found)
		if got := strings.Join(found, " "); got != of.functions {
			t.Errorf("%s=%s reaches %q, want %s", option, of.value, got, of.functions)
		}
	}
}

func TestFunctionsHaveTheSizesOfTheTable(t *testing.T) {
	s := variant(t, "every option")
	deployed := deployedFunctions(s)
	for _, step := range workflow.Steps(workflow.Resources{}, s.config.Options) {
		p := deployed[step.Name].Properties
		scratch, _ := p["EphemeralStorage"].(map[string]any)
		scratchMiB, _ := scratch["Size"].(float64) // 0 where Lambda's default holds
		if p["MemorySize"] != float64(step.MemoryMiB) || p["Timeout"] != step.Timeout.Seconds() || scratchMiB != float64(step.ScratchMiB) {
			t.Errorf("%s has %v MiB, %v s, scratch %v MiB; want %+v", step.Name, p["MemorySize"], p["Timeout"], scratchMiB, step)
		}
	}
	if p := deployed["train"].Properties; p["MemorySize"] != 1024.0 {
		t.Errorf("train has %v MiB, want the option's 1024", p["MemorySize"])
	}
}

// deployedFunctions are those of ours, by their folders.
func deployedFunctions(s template) map[string]resource {
	found := map[string]resource{}
	for _, function := range s.of("AWS::Lambda::Function") {
		if name, ours := strings.CutPrefix(spell(function.Properties["Description"]), "recsys: functions/"); ours {
			found[name] = function
		}
	}
	return found
}

func TestOnlyTheHandOverIsVersionedAndRunsExpire(t *testing.T) {
	for id, bucket := range variant(t, "every option").of("AWS::S3::Bucket") {
		artifacts := strings.Contains(id, "Artifacts")
		if (bucket.Properties["VersioningConfiguration"] != nil) != artifacts {
			t.Errorf("%s: versioning %v", id, bucket.Properties["VersioningConfiguration"])
		}
		if strings.Contains(bucket.text(), `"EventBridgeEnabled":true`) != artifacts {
			t.Errorf("%s tells EventBridge, or does not: %s", id, bucket.text())
		}
		if lake := !artifacts && !strings.Contains(id, "Recommendations"); lake &&
			!strings.Contains(bucket.text(), `{"ExpirationInDays":20,"Prefix":"runs/","Status":"Enabled"}`) {
			t.Errorf("%s: %s", id, bucket.text())
		}
	}
}

func TestAccessToEachBucketIsLoggedUnderAPrefixOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		prefixes := map[string]bool{}
		for id, bucket := range s.of("AWS::S3::Bucket") {
			logging, _ := bucket.Properties["LoggingConfiguration"].(map[string]any)
			if to, _ := logging["DestinationBucketName"].(string); to != s.config.AccessLogsBucket {
				t.Errorf("%s logs to %q, want %q", id, to, s.config.AccessLogsBucket)
			}
			prefixes[spell(logging["LogFilePrefix"])] = true
		}
		if s.config.AccessLogsBucket != "" && len(prefixes) != 3 {
			t.Errorf("prefixes %v", prefixes)
		}
	})
}

// The CDK's own key of the context gives every role a boundary, as docs/aws.md says.
func TestEveryRoleTakesABoundary(t *testing.T) {
	for id, role := range variant(t, "every option").of("AWS::IAM::Role") {
		if !strings.HasSuffix(spell(role.Properties["PermissionsBoundary"]), ":policy/developers") {
			t.Errorf("%s has the boundary %v", id, role.Properties["PermissionsBoundary"])
		}
	}
	for id, role := range variant(t, "prod").of("AWS::IAM::Role") {
		if role.Properties["PermissionsBoundary"] != nil {
			t.Errorf("%s has a boundary", id)
		}
	}
}

func TestTwoSynthsAreTheSame(t *testing.T) {
	if newSynthesis(t, nil, "stub").text != variant(t, "dev").text {
		t.Error("they differ")
	}
}

func TestTheDocumentExplainsTheSteps(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	for id := range variant(t, "dev").Outputs {
		if strings.HasPrefix(id, "Step") && !strings.Contains(string(text), id) {
			t.Errorf("docs/aws.md does not explain the output %s", id)
		}
	}
}

// TestTheRecordToPasteIsOfTheShop that the deployment has loaded. With a shop file it is a form. With another shop none is
// printed.
func TestTheRecordToPasteIsOfTheShop(t *testing.T) {
	want, err := sampleshop.Example(sampleshop.Default())
	if err != nil {
		t.Fatal(err)
	}
	own, _ := json.Marshal(variant(t, "dev").Outputs["Step3PutRecord"])
	quoted, _ := json.Marshal("--data '" + want + "'")
	if !strings.Contains(string(own), strings.Trim(string(quoted), `"`)) {
		t.Errorf("printed is %s, want %s", own, quoted)
	}
	form := variant(t, "existing, password").Outputs["Step3PutRecord"]
	text, _ := json.Marshal(form.Value)
	for _, member := range []string{"customer", "city", "country", "product"} {
		if !strings.Contains(string(text), fmt.Sprintf(`\"%s\":\"…\"`, member)) {
			t.Errorf("the form of the shop file is %s, without %s", text, member)
		}
	}
	if other, printed := variant(t, "existing, IAM").Outputs["Step3PutRecord"]; printed {
		t.Errorf("printed is %v", other)
	}
}

// The shop file reaches plan-extract alone, and the outputs name it. Without one the stack is as before.
func TestTheShopFileReachesPlanExtract(t *testing.T) {
	s := variant(t, "existing, password")
	for name, function := range deployedFunctions(s) {
		value, set := environment(function)["SHOP_FILE"]
		if want := name == "plan-extract"; set != want || want && value != "orders.yaml" {
			t.Errorf("%s has SHOP_FILE %q", name, value)
		}
	}
	if !strings.Contains(s.text, "orders "+s.config.Shop.Hash) {
		t.Error("no output has the shop file's name and hash")
	}
	for name, function := range deployedFunctions(variant(t, "dev")) {
		if value := environment(function)["SHOP_FILE"]; value != "" && value != "none" {
			t.Errorf("%s has SHOP_FILE %q", name, value)
		}
	}
}
