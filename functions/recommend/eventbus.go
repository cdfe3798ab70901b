package main

import (
	"bytes"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// An event's source and its kind, which rules of a bus select by.
const (
	eventSource = "recsys"
	eventKind   = "Recommendation"
)

// Limits of PutEvents: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const (
	maxCallEvents = 10
	// maxEventBytes is for all events of a call together, with their sources and kinds.
	maxEventBytes = 256<<10 - maxCallEvents*len(eventSource+eventKind)
	eventCalls    = 10 // at once, because 500 answers are 50 calls
)

// eventPutter is the only call of EventBridge that delivery makes.
type eventPutter interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// busDoor puts lines on an event bus, an event each.
type busDoor struct {
	client eventPutter
	bus    string
}

// toBus makes several calls at a time, because a bus keeps no order.
func toBus(client eventPutter, bus string) *delivery {
	return &delivery{door: busDoor{client, bus}, to: "EventBridge's bus " + bus, pause: firstPause,
		limits: limits{lineBytes: maxEventBytes, lines: maxCallEvents, bytes: maxEventBytes, atOnce: eventCalls}}
}

func (b busDoor) put(ctx context.Context, lines [][]byte) (refused []int, reason string, err error) {
	entries := make([]types.PutEventsRequestEntry, len(lines))
	for i, line := range lines {
		entries[i] = types.PutEventsRequestEntry{
			EventBusName: &b.bus, Source: aws.String(eventSource), DetailType: aws.String(eventKind),
			Detail: aws.String(string(bytes.TrimRight(line, "\n"))),
		}
	}
	out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil || out.FailedEntryCount == 0 {
		return nil, "", err
	}
	if len(out.Entries) != len(lines) {
		return nil, "", errors.New("the answer does not fit the request")
	}
	codes := make([]*string, len(lines))
	for i := range out.Entries {
		codes[i] = out.Entries[i].ErrorCode
	}
	refused, reason = refusals(codes)
	return refused, reason, nil
}
