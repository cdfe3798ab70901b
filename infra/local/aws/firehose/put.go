package firehose

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/google/uuid"

	"recsys/infra/local/aws/awsjson"
)

// AWS's limits, of sizes before base64.
const (
	maxRecords      = 500
	maxRecordBytes  = 1000 << 10
	maxBatchBytes   = 4 << 20
	maxRequestBytes = 16 << 20 // far over a batch as base64 in JSON, so that a batch over its limit is told so
)

const (
	unavailable        = "ServiceUnavailableException"
	unavailableMessage = "Slow down."
)

// Faults makes a Firehose fail as the real one does. Each may be nil and must be safe for concurrent use.
type Faults struct {
	// Throttle says whether a whole call fails with ServiceUnavailableException.
	Throttle func(stream string) bool
	// Fail gives the indices of the records of a PutRecordBatch that fail, in an answer that is a 200.
	Fail func(stream string, batch [][]byte) []int
}

type faultPoint struct{ atomic.Pointer[Faults] }

type record struct{ Data []byte } // base64 in JSON, as AWS has it

type putRecordInput struct {
	DeliveryStreamName string
	Record             record
}

type putRecordBatchInput struct {
	DeliveryStreamName string
	Records            []record
}

func (in putRecordInput) Resource() string      { return in.DeliveryStreamName }
func (in putRecordBatchInput) Resource() string { return in.DeliveryStreamName }

type putRecordOutput struct {
	RecordId  string
	Encrypted bool
}

type putRecordBatchOutput struct {
	FailedPutCount   int
	Encrypted        bool
	RequestResponses []recordResponse
}

type recordResponse struct {
	RecordId     string `json:",omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (s *Server) putRecord(ctx context.Context, in putRecordInput) (putRecordOutput, error) {
	out, err := s.putRecordBatch(ctx, putRecordBatchInput{in.DeliveryStreamName, []record{in.Record}})
	if err != nil {
		return putRecordOutput{}, err
	}
	if out.FailedPutCount > 0 {
		return putRecordOutput{}, throttled()
	}
	return putRecordOutput{RecordId: out.RequestResponses[0].RecordId}, nil
}

func (s *Server) putRecordBatch(ctx context.Context, in putRecordBatchInput) (putRecordBatchOutput, error) {
	stream, ok := s.streams[in.DeliveryStreamName]
	if !ok {
		return putRecordBatchOutput{}, notFound(in.DeliveryStreamName)
	}
	if err := withinLimits(in.Records); err != nil {
		return putRecordBatchOutput{}, err
	}
	faults := s.faults.Load()
	if faults.Throttle != nil && faults.Throttle(stream.Name) {
		return putRecordBatchOutput{}, throttled()
	}
	out := putRecordBatchOutput{RequestResponses: make([]recordResponse, len(in.Records))}
	failed := failedOf(faults, stream.Name, in.Records)
	accepted := make([][]byte, 0, len(in.Records))
	for i, record := range in.Records {
		if failed[i] {
			out.FailedPutCount++
			out.RequestResponses[i] = recordResponse{ErrorCode: unavailable, ErrorMessage: unavailableMessage}
			continue
		}
		accepted = append(accepted, record.Data)
		out.RequestResponses[i] = recordResponse{RecordId: uuid.NewString()}
	}
	return out, stream.accept(accepted)
}

func withinLimits(records []record) error {
	if len(records) == 0 || len(records) > maxRecords {
		return awsjson.Errorf("ValidationException", "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length between 1 and %d", maxRecords)
	}
	total := 0
	for i, record := range records {
		if len(record.Data) > maxRecordBytes {
			return awsjson.Errorf("ValidationException", "1 validation error detected: Value at 'records.%d.member.data' failed to satisfy constraint: Member must have length less than or equal to %d", i+1, maxRecordBytes)
		}
		total += len(record.Data)
	}
	if total > maxBatchBytes {
		return awsjson.Errorf("InvalidArgumentException", "Records size exceeds 4 MB limit")
	}
	return nil
}

func failedOf(faults *Faults, stream string, records []record) map[int]bool {
	if faults.Fail == nil {
		return nil
	}
	batch := make([][]byte, len(records))
	for i, record := range records {
		batch[i] = record.Data
	}
	failed := map[int]bool{}
	for _, index := range faults.Fail(stream, batch) {
		failed[index] = true
	}
	return failed
}

func throttled() error {
	return &awsjson.Error{Status: http.StatusInternalServerError, Code: unavailable, Message: unavailableMessage}
}
