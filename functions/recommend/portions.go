package main

import (
	"iter"

	"github.com/aws/aws-lambda-go/events"

	"recsys/shared/stream/activity"
	"recsys/shared/stream/unpack"
)

// A batch is answered in portions, because a Kinesis record may hold thousands of activity records. A portion bounds the memory
// and the arrays of a statement.
const (
	maxPortion      = 1000
	maxPortionBytes = 8 << 20
)

// entry is one activity record as it came in: read by a shop's form, or rejected for a reason.
type entry struct {
	event     *events.KinesisEventRecord // the Kinesis record that holds it
	place     int                        // of the Kinesis record in the batch
	id        string                     // the event id
	data      []byte                     // the record as its producer wrote it
	partition string                     // its partition key
	fault     string                     // why no form can read it, "" if one may
	object    activity.Object            // what a form reads
	record    activity.Record
	reason    string // why it is rejected, "" if it is not
}

// portions yields the activity records of a batch, in its order. A portion is valid until the next one.
func portions(records []events.KinesisEventRecord) iter.Seq[[]entry] {
	return func(yield func([]entry) bool) {
		var portion []entry
		size := 0
		for i := range records {
			parts := unpack.Record(records[i].Kinesis.Data)
			for k, part := range parts {
				if len(portion) == maxPortion || len(portion) > 0 && size+len(part.Data) > maxPortionBytes {
					if !yield(portion) {
						return
					}
					portion, size = portion[:0], 0
				}
				e := open(part)
				e.event, e.place = &records[i], i
				e.id = unpack.EventID(records[i].EventID, k, len(parts))
				portion, size = append(portion, e), size+len(part.Data)
			}
		}
		if len(portion) > 0 {
			yield(portion)
		}
	}
}

func open(part unpack.Part) entry {
	e := entry{data: part.Data, partition: part.PartitionKey}
	err := part.Err
	if err == nil {
		e.object, err = activity.Open(part.Data)
	}
	if err != nil {
		e.fault = err.Error()
		e.reason = e.fault
	}
	return e
}

// read reads the record by the form of a shop. The record and the reason of an earlier form go.
func (e *entry) read(form *activity.Form) {
	if e.reason = e.fault; e.fault != "" {
		return
	}
	var err error
	if e.record, err = form.Read(e.object); err != nil {
		e.reason = err.Error()
	}
}
