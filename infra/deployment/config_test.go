package deployment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recsys/infra/deployment/deploymenttest"
)

func TestDefaultsAreACompleteConfiguration(t *testing.T) {
	config, err := ReadConfig(map[string]any{"@aws-cdk/core:aFlag": true, "acknowledged-issue-numbers": []any{1.0}, "aws:cdk:x": 1.0})
	if err != nil {
		t.Fatal(err)
	}
	if config.Name != "recsys" || config.Stage != "dev" || config.Prod() || !config.OwnsSource() || !config.Scheduled() ||
		config.Shards != 1 || config.LogRetentionDays != 30 || config.MaxConcurrency != 8 || config.HighAvailability {
		t.Errorf("got %+v", config)
	}
}

func TestOptionsAreTextOnTheCommandLineAndAnyJSONInTheFile(t *testing.T) {
	for _, options := range []map[string]any{
		{"vpcId": "vpc-1", "subnetIds": "subnet-1, subnet-2", "shards": "3", "highAvailability": "true", "sessionWeight": "0.5", "trendingItems": "true"},
		{"vpcId": "vpc-1", "subnetIds": []any{"subnet-1", "subnet-2"}, "shards": 3.0, "highAvailability": true, "sessionWeight": 0.5, "trendingItems": true},
	} {
		config, err := ReadConfig(options)
		if err != nil || strings.Join(config.SubnetIDs, " ") != "subnet-1 subnet-2" || config.Shards != 3 || !config.HighAvailability ||
			config.Options.SessionWeight != 0.5 || !config.Options.TrendingItems {
			t.Errorf("%v: got %+v, %v", options, config, err)
		}
	}
}

func TestABadValueIsOneLineThatNamesTheOption(t *testing.T) {
	for want, options := range map[string]map[string]any{
		`stage is "production": want one of dev, prod`:             {"stage": "production"},
		`stage is "": want one of dev, prod`:                       {"stage": ""},
		`shards is "none": want a whole number 1 to 500`:           {"shards": "none"},
		`shards is "1.5": want a whole number 1 to 500`:            {"shards": 1.5},
		`batchSize is 20000: want 1 to 10000`:                      {"batchSize": "20000"},
		`trainMemoryMiB is 256: want 512 to 10240`:                 {"trainMemoryMiB": "256"},
		`logRetentionDays is "31": want one of 1, 3,`:              {"logRetentionDays": 31.0},
		`highAvailability is "perhaps": want true or false`:        {"highAvailability": "perhaps"},
		`alarmEmail is "you": want`:                                {"alarmEmail": "you"},
		`schedule is "nightly": want`:                              {"schedule": "nightly"},
		`scheduleTimezone is "Mars": want a name such as`:          {"scheduleTimezone": "Mars"},
		`schedul is no option`:                                     {"schedul": "off"},
		`sessionWeight is 2: want 0 to 1`:                          {"limit": 0.0, "sessionWeight": "2"},
		`gateTrained is "perhaps": want one of enforce, report`:    {"gateTrained": "perhaps"},
		`name is "Recsys": want`:                                   {"name": "Recsys"},
		`vectorInstance is "m5.large": want`:                       {"vectorInstance": "m5.large"}, // not Graviton
		`vpcId and subnetIds come together`:                        {"vpcId": "vpc-1"},
		`s3PrefixListId is of a new VPC`:                           deploymenttest.Existing(map[string]any{"s3PrefixListId": "pl-1"}),
		`subnetIds is one subnet`:                                  {"vpcId": "vpc-1", "subnetIds": "subnet-1"},
		`subnetIds is "subnet-x": want`:                            {"vpcId": "vpc-1", "subnetIds": "subnet-1,subnet-x"},
		`sourceHost needs vpcId`:                                   deploymenttest.Existing(map[string]any{"vpcId": nil, "subnetIds": nil}),
		`sourceHost needs either sourceSecretArn`:                  deploymenttest.Existing(map[string]any{"sourceSecretArn": nil}),
		`(a password) or sourceResourceId (IAM authentication)`:    deploymenttest.Existing(map[string]any{"sourceResourceId": "db-ABC"}),
		`sourceUser is "a.b": want up to 32`:                       {"sourceUser": "a.b"},
		`sourceUser is "admin", the administrator`:                 {"sourceUser": "admin"},
		`sourceDatabase is "1a": want letters`:                     {"sourceDatabase": "1a"},
		`backupWindow is "25:00-25:30": want`:                      {"backupWindow": "25:00-25:30"},
		`backupWindow and maintenanceWindow overlap`:               {"backupWindow": "06:50-07:20"},
		`budgetUSD needs alarmEmail`:                               {"budgetUSD": "100"},
		`availabilityZones are two, and of a new VPC`:              {"availabilityZones": "us-east-1a"},
		`shards × parallelization is 40: vectorInstance t4g.small`: {"shards": "40"},
		`maintenanceWindow mon:02:00-mon:02:30 UTC falls into`:     {"maintenanceWindow": "mon:02:00-mon:02:30"},
		`sourceHost is an address`:                                 deploymenttest.Existing(map[string]any{"sourceHost": "10.0.0.1"}),
		`are of an existing MySQL: sourceHost is missing`:          {"sourceSecurityGroupId": "sg-1"},
		`shop is "shop.txt": want`:                                 {"shop": "shop.txt"},
		`shop: opening the shop file: open none.yaml`:              {"shop": "none.yaml"},
		`is for the database sakila: give sourceDatabase=sakila`:   deploymenttest.Existing(map[string]any{"shop": "../../docs/shops/sakila.yaml"}),
		`shop needs sourceHost: a MySQL of our own`:                {"shop": "../../docs/shops/orders.yaml"},
		`stage is "x": want one of dev, prod; shards is "y": want`: {"stage": "x", "shards": "y"},
	} {
		_, err := ReadConfig(options)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: got %v, want one line with %q", options, err, want)
		}
	}
}

// Mistakes of the shop file show before anything is deployed.
func TestTheShopFileIsReadAtSynth(t *testing.T) {
	config, err := ReadConfig(deploymenttest.Existing(map[string]any{"shop": "../../docs/shops/sakila.yaml", "sourceDatabase": "sakila"}))
	if err != nil || config.Shop.Name != "sakila" || config.Shop.IsLab() {
		t.Errorf("shop %+v, %v", config.Shop, err)
	}
	if config, err = ReadConfig(nil); err != nil || !config.Shop.IsLab() {
		t.Errorf("without a shop file: %+v, %v", config.Shop, err)
	}
	path := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(path, []byte("interactions: {}\nproduct: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ReadConfig(map[string]any{"shop": path, "shards": "none"})
	for _, want := range []string{`bad.yaml:1:15: 0 queries of interactions`, `bad.yaml:2:1: unknown key "product": want products`, `shards is "none"`} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one line with %s", err, want)
		}
	}
}
