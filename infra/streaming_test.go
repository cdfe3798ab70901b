package main

import (
	"strings"
	"testing"
)

func TestTheStreamIsFedInBatchesAndNothingIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		variant string
		want    map[string]any
	}{
		"defaults": {"dev", map[string]any{
			"BatchSize": 500.0, "MaximumBatchingWindowInSeconds": 1.0, "ParallelizationFactor": 1.0,
			"MaximumRecordAgeInSeconds": 21600.0, "MaximumRetryAttempts": 1000.0,
		}},
		"options": {
			"every option",
			map[string]any{
				"BatchSize": 100.0, "MaximumBatchingWindowInSeconds": 0.0, "ParallelizationFactor": 4.0,
				"MaximumRecordAgeInSeconds": 60.0, "MaximumRetryAttempts": 0.0,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := variant(t, c.variant)
			mapping := s.only(t, "AWS::Lambda::EventSourceMapping")
			for property, want := range c.want {
				if got := mapping.Properties[property]; got != want {
					t.Errorf("%s is %v, want %v", property, got, want)
				}
			}
			p := mapping.Properties
			if p["BisectBatchOnFunctionError"] != true || spell(p["FunctionResponseTypes"]) != "[ReportBatchItemFailures]" ||
				s.Resources[spell(p["EventSourceArn"])].Type != "AWS::Kinesis::Stream" {
				t.Errorf("mapping %s", mapping.text())
			}
			destination := p["DestinationConfig"].(map[string]any)["OnFailure"].(map[string]any)["Destination"]
			if bucket := spell(destination); s.Resources[bucket].Type != "AWS::S3::Bucket" || !strings.Contains(bucket, "Recommendations") {
				t.Errorf("what fails goes to %s", bucket)
			}
		})
	}
	stream := variant(t, "every option").only(t, "AWS::Kinesis::Stream").Properties
	if stream["ShardCount"] != 3.0 || stream["RetentionPeriodHours"] != 48.0 {
		t.Errorf("stream %v", stream)
	}
}

func TestCallsAreReservedOnlyWhereTheOptionSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		for name, function := range deployedFunctions(s) {
			var want any
			if name == "recommend" && s.config.ReserveConcurrency {
				want = 12.0 // 3 shards, 4 calls each
			}
			if name == "api" && s.config.ReserveConcurrency {
				want = 20.0
			}
			if got := function.Properties["ReservedConcurrentExecutions"]; got != want {
				t.Errorf("%s reserves %v calls, want %v", name, got, want)
			}
		}
	})
}

func TestAnswersLieWhereTheTableSays(t *testing.T) {
	s := variant(t, "dev")
	p := s.only(t, "AWS::KinesisFirehose::DeliveryStream").Properties["ExtendedS3DestinationConfiguration"].(map[string]any)
	const hour = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"
	if p["Prefix"] != "recommendations/"+hour || p["ErrorOutputPrefix"] != "delivery-errors/!{firehose:error-output-type}/"+hour ||
		p["CompressionFormat"] != "GZIP" {
		t.Errorf("delivery to %v", p)
	}
	table := s.only(t, "AWS::Glue::Table").Properties["TableInput"].(map[string]any)
	parameters := table["Parameters"].(map[string]any)
	bucket := spell(p["BucketARN"])
	if got, want := spell(parameters["storage.location.template"]), "s3://"+bucket+"/recommendations/year=${year}/month=${month}/day=${day}/hour=${hour}/"; got != want {
		t.Errorf("the table's folders are %s, want %s", got, want)
	}
	for _, column := range []string{"month", "day", "hour"} {
		if parameters["projection."+column+".digits"] != "2" || parameters["projection."+column+".type"] != "integer" {
			t.Errorf("%s: Firehose writes two digits; the table has %v", column, parameters)
		}
	}
	if parameters["projection.year.digits"] != nil || parameters["projection.enabled"] != "true" {
		t.Errorf("parameters %v", parameters)
	}
}

// With the option, recommend may put events on that bus and no other, by an endpoint that lets it do no more.
func TestAnswersGoToABusWhereTheOptionSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		recommend := deployedFunctions(s)["recommend"]
		allowed := strings.Join(allowedTo(s, spell(recommend.Properties["Role"]))["events:PutEvents"], " ")
		var endpoints []string
		for _, endpoint := range s.of("AWS::EC2::VPCEndpoint") {
			if strings.HasSuffix(spell(endpoint.Properties["ServiceName"]), ".events") {
				endpoints = append(endpoints, endpoint.text())
			}
		}
		if s.config.EventBus == "" {
			if allowed != "" || len(endpoints) > 0 || environment(recommend)["EVENT_BUS"] != "none" {
				t.Errorf("without a bus recommend may put events on %q, through %v, named %q", allowed, endpoints, environment(recommend)["EVENT_BUS"])
			}
			return
		}
		const bus = ":event-bus/answers"
		if !strings.HasSuffix(allowed, bus) || strings.Contains(allowed, " ") || environment(recommend)["EVENT_BUS"] != "answers" {
			t.Errorf("recommend may put events on %q, named %q", allowed, environment(recommend)["EVENT_BUS"])
		}
		if len(endpoints) != 1 || !strings.Contains(endpoints[0], bus) || !strings.Contains(endpoints[0], "events:PutEvents") {
			t.Errorf("endpoints %v", endpoints)
		}
	})
}

// Firehose needs some seconds, however few it collects for: an alarm at 0 would never be silent.
func TestAnswersMayBeDeliveredAtOnce(t *testing.T) {
	s := variant(t, "every option")
	p := s.only(t, "AWS::KinesisFirehose::DeliveryStream").Properties["ExtendedS3DestinationConfiguration"].(map[string]any)
	if hints := p["BufferingHints"].(map[string]any); hints["IntervalInSeconds"] != 0.0 {
		t.Errorf("Firehose collects by %v", hints)
	}
	for id, alarm := range s.of("AWS::CloudWatch::Alarm") {
		if strings.Contains(id, "AnswersNotDelivered") && alarm.Properties["Threshold"] != 180.0 {
			t.Errorf("the alarm waits %v s", alarm.Properties["Threshold"])
		}
	}
}
