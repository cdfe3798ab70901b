package firehose_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsfirehose "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"recsys/infra/local/aws/firehose"
)

func TestStreamsAreListedAndDescribed(t *testing.T) {
	settings := config(t.TempDir(), nil)
	settings.Streams = append(settings.Streams, firehose.Stream{Name: "a", Bucket: "other"}, firehose.Stream{Name: "z", Bucket: "other"})
	_, client := setup(t, lake{}, settings)
	var names []string
	for more := true; more; {
		in := &awsfirehose.ListDeliveryStreamsInput{Limit: aws.Int32(2)}
		if len(names) > 0 {
			in.ExclusiveStartDeliveryStreamName = &names[len(names)-1]
		}
		out, err := client.ListDeliveryStreams(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		names, more = append(names, out.DeliveryStreamNames...), *out.HasMoreDeliveryStreams
	}
	if !slices.Equal(names, []string{"a", streamName, "z"}) {
		t.Errorf("listed %q", names)
	}
	out, err := client.DescribeDeliveryStream(t.Context(), &awsfirehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String(streamName)})
	if err != nil {
		t.Fatal(err)
	}
	got := out.DeliveryStreamDescription
	s3 := got.Destinations[0].ExtendedS3DestinationDescription
	if got.DeliveryStreamStatus != types.DeliveryStreamStatusActive || !got.CreateTimestamp.Equal(start) ||
		*s3.BucketARN != "arn:aws:s3:::"+bucket || *s3.Prefix != "recommendations/" || *s3.BufferingHints.SizeInMBs != 5 || *s3.BufferingHints.IntervalInSeconds != 300 {
		t.Errorf("described %+v with %+v", got, s3)
	}
	_, err = client.DescribeDeliveryStream(t.Context(), &awsfirehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String("none")})
	if !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("no such stream: %v", err)
	}
}
