package sourcefiles

import (
	"strconv"
	"strings"
	"time"
)

// layouts of times with a zone, and of those that have the shop's.
var (
	zoned = []string{
		time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700", "2006-01-02 15:04:05.999999999-07",
		"2006-01-02 15:04:05.999999999 MST", "2006-01-02T15:04:05.999999999-0700",
	}
	unzoned = []string{"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "20060102"}
)

// rawTime is how raw files have a time.
const rawTime = "2006-01-02 15:04:05.999999"

// utc returns a time as raw files have it. A number is Unix seconds, milliseconds or microseconds, by its digits. A text
// that is no time stays as it is, for the quarantine.
func utc(text string, zone *time.Location) string {
	text = strings.TrimSpace(text)
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) != len("20060102") {
		switch digits := len(strings.TrimPrefix(text, "-")); {
		case digits <= 11:
			return time.Unix(number, 0).UTC().Format(rawTime)
		case digits <= 14:
			return time.UnixMilli(number).UTC().Format(rawTime)
		case digits <= 17:
			return time.UnixMicro(number).UTC().Format(rawTime)
		}
		return text
	}
	for _, layout := range zoned {
		if layout == "2006-01-02 15:04:05.999999999 MST" && !strings.HasSuffix(text, " UTC") {
			continue // other abbreviations would be taken for UTC
		}
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Format(rawTime)
		}
	}
	for _, layout := range unzoned {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at.UTC().Format(rawTime)
		}
	}
	return text
}
