package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/workflow"
)

// replacing are the kinds of resources that hold data, with the properties that CloudFormation cannot change in place. A
// change of one makes a new, empty resource.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html
var replacing = map[string][]string{
	"AWS::S3::Bucket":      {"BucketName", "BucketNamePrefix", "ObjectLockEnabled"},
	"AWS::RDS::DBInstance": {"DBInstanceIdentifier", "DBName", "Engine", "MasterUsername", "Port", "StorageEncrypted", "KmsKeyId", "CharacterSetName", "Timezone", "AvailabilityZone", "NcharCharacterSetName"},
	"AWS::Kinesis::Stream": {"Name"},
	"AWS::Glue::Database":  {"CatalogId", "DatabaseName", "DatabaseInput.Name"},
	"AWS::KMS::Key":        {"KeySpec", "KeyUsage", "MultiRegion", "Origin"},
	"AWS::SQS::Queue":      {"QueueName", "FifoQueue"},
	"AWS::SNS::Topic":      {"TopicName", "FifoTopic"},
	"AWS::Logs::LogGroup":  {"LogGroupName", "LogGroupClass"},
}

// An upgrade keeps the resources that hold data. testdata/holds-data.json has the logical id of each, with those of
// its properties that would replace it. It may only grow. A release that must change an entry needs a way to move the
// data.
func TestAnUpgradeReplacesNothingThatHoldsData(t *testing.T) {
	file := filepath.Join("testdata", "holds-data.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var released map[string]map[string]string // logical id → property → value
	if err := json.Unmarshal(text, &released); err != nil {
		t.Fatal(err)
	}
	now := holdingData(variant(t, "prod"))
	for _, id := range slices.Sorted(maps.Keys(released)) {
		if !maps.Equal(now[id], released[id]) {
			t.Errorf("%s is %v and was %v: an upgrade would replace it, and its data is lost", id, now[id], released[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if released[id] == nil {
			missing, err := json.Marshal(now[id])
			t.Errorf("%s holds data: add it to %s, as %s (%v)", id, file, missing, err)
		}
	}
}

// holdingData are the resources that hold data, by logical id, with their kind and the properties that would replace them.
func holdingData(s template) map[string]map[string]string {
	found := map[string]map[string]string{}
	for id, r := range s.Resources {
		properties, holds := replacing[r.Type]
		if !holds {
			continue
		}
		found[id] = map[string]string{"Type": r.Type}
		for _, property := range properties {
			for _, value := range textsAt(r.Properties, strings.Split(property, ".")) {
				found[id][property] = value
			}
		}
	}
	return found
}

// A release that names a newer major version upgrades the database in place, and prepares it again: only then does
// the database take the newer pgvector.
func TestANewerMajorVersionIsTakenAndPrepared(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		var versions, prepared []string
		for id, database := range s.of("AWS::RDS::DBInstance") {
			if database.Properties["AllowMajorVersionUpgrade"] != true {
				t.Errorf("%s refuses a newer major version", id)
			}
			versions = append(versions, spell(database.Properties["EngineVersion"]))
		}
		for _, call := range s.of("AWS::CloudFormation::CustomResource") {
			prepared = append(prepared, spell(call.Properties["Engine"]))
		}
		slices.Sort(versions)
		slices.Sort(prepared)
		if len(versions) == 0 || !slices.Equal(versions, prepared) {
			t.Errorf("databases of versions %v, prepared ones %v", versions, prepared)
		}
	})
}

// A function may read a column that only the new release's bootstrap adds. So an upgrade prepares the database before it
// exchanges the functions that use it.
func TestFunctionsWaitForTheirDatabase(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		var prepared []string
		for id := range s.of("AWS::CloudFormation::CustomResource") {
			if strings.HasPrefix(id, "VectorDatabase") {
				prepared = append(prepared, id)
			}
		}
		waiting := 0
		for id, function := range s.of("AWS::Lambda::Function") {
			role := environment(function)["VECTOR_STORE_URL"]
			if !strings.Contains(role, loaderRole) && !strings.Contains(role, readerRole) {
				continue
			}
			waiting++
			if len(prepared) != 1 || !slices.Contains(texts(function.DependsOn), prepared[0]) {
				t.Errorf("%s waits for %v and not for %v", id, function.DependsOn, prepared)
			}
		}
		want := 0
		for _, step := range workflow.Steps(workflow.Resources{}, s.config.Options) {
			if step.Name == "api" && s.config.API == "off" {
				continue
			}
			if slices.ContainsFunc(step.Rights, func(r workflow.Right) bool {
				return r.On == workflow.VectorsAsLoader || r.On == workflow.VectorsAsReader
			}) {
				want++
			}
		}
		if waiting != want {
			t.Errorf("%d functions use the vector database, want %d", waiting, want)
		}
	})
}
