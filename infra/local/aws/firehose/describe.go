package firehose

import (
	"context"
	"maps"
	"slices"
	"time"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/awsjson"
)

const (
	defaultListed = 10    // of ListDeliveryStreams
	maxListed     = 10000 // and its limit
	destinationID = "destinationId-000000000001"
)

type listInput struct {
	ExclusiveStartDeliveryStreamName string
	Limit                            int
}

type describeInput struct{ DeliveryStreamName string }

func (in listInput) Resource() string     { return "" }
func (in describeInput) Resource() string { return in.DeliveryStreamName }

type listOutput struct {
	DeliveryStreamNames    []string
	HasMoreDeliveryStreams bool
}

type describeOutput struct{ DeliveryStreamDescription description }

type description struct {
	DeliveryStreamName, DeliveryStreamARN, DeliveryStreamStatus, DeliveryStreamType, VersionId string

	CreateTimestamp     int64 // of this server: a stream is made by its start
	Destinations        []destination
	HasMoreDestinations bool
}

type destination struct {
	DestinationId                    string
	S3DestinationDescription         s3Destination
	ExtendedS3DestinationDescription s3Destination
}

type s3Destination struct {
	RoleARN, BucketARN, Prefix, CompressionFormat string

	BufferingHints          bufferingHints
	EncryptionConfiguration struct{ NoEncryptionConfig string }
}

type bufferingHints struct{ SizeInMBs, IntervalInSeconds int64 }

func (s *Server) listDeliveryStreams(_ context.Context, in listInput) (listOutput, error) {
	if in.Limit == 0 {
		in.Limit = defaultListed
	}
	if in.Limit < 0 || in.Limit > maxListed {
		return listOutput{}, awsjson.Errorf("ValidationException", "Limit is %d: want 1 to %d", in.Limit, maxListed)
	}
	out := listOutput{DeliveryStreamNames: []string{}}
	for _, name := range slices.Sorted(maps.Keys(s.streams)) {
		switch {
		case name <= in.ExclusiveStartDeliveryStreamName:
		case len(out.DeliveryStreamNames) == in.Limit:
			out.HasMoreDeliveryStreams = true
			return out, nil
		default:
			out.DeliveryStreamNames = append(out.DeliveryStreamNames, name)
		}
	}
	return out, nil
}

func (s *Server) describeDeliveryStream(_ context.Context, in describeInput) (describeOutput, error) {
	stream, ok := s.streams[in.DeliveryStreamName]
	if !ok {
		return describeOutput{}, notFound(in.DeliveryStreamName)
	}
	s3 := s3Destination{
		RoleARN: awscall.RoleARN, BucketARN: "arn:aws:s3:::" + stream.Bucket, Prefix: stream.Prefix, CompressionFormat: "GZIP",
		BufferingHints: bufferingHints{max(1, stream.BufferBytes>>20), int64(stream.BufferInterval / time.Second)},
	}
	s3.EncryptionConfiguration.NoEncryptionConfig = "NoEncryption"
	return describeOutput{description{
		DeliveryStreamName:   stream.Name,
		DeliveryStreamARN:    "arn:aws:firehose:" + awscall.Region + ":" + awscall.Account + ":deliverystream/" + stream.Name,
		DeliveryStreamStatus: "ACTIVE", DeliveryStreamType: "DirectPut", VersionId: "1", CreateTimestamp: s.started.Unix(),
		Destinations: []destination{{destinationID, s3, s3}},
	}}, nil
}

func notFound(stream string) error {
	return awsjson.Errorf("ResourceNotFoundException", "Firehose %s not found under account %s.", stream, awscall.Account)
}
