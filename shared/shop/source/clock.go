package source

import (
	"database/sql"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // Lambda's image has no time zones

	"recsys/shared/contract/failure"
)

const (
	secondsLayout = "2006-01-02 15:04:05"
	dayLayout     = "2006-01-02"
)

// zoneOf returns the zone of times that carry none. "" is UTC.
func zoneOf(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, failure.SchemaMismatch.Errorf("the shop's time zone: %w: give an IANA name, as Europe/Berlin", err)
	}
	return zone, nil
}

// moment returns the cell of times: UTC as 2006-01-02 15:04:05, with the decimals that the source has. DATETIME and DATE
// are in the zone, TIMESTAMP is in UTC, and a whole number counts seconds since 1970. A text that is no time stays as it is.
func moment(f field, zone *time.Location) cell {
	switch f.family {
	case wholes:
		return func(value sql.RawBytes) string { return fromUnix(string(value)) }
	case instants:
		return plain
	}
	hours := hourCache{zone: zone}
	return func(value sql.RawBytes) string { return hours.utc(value) }
}

// fromUnix returns a time of seconds since 1970. A number that no four-digit year holds stays as it is.
func fromUnix(text string) string {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > maxUnix {
		return text
	}
	return time.Unix(seconds, 0).UTC().Format(secondsLayout)
}

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// hourCache converts times to UTC. Most times of a customer differ in minutes or in days, so the hours that were
// converted are kept.
type hourCache struct {
	zone  *time.Location
	hours map[string]string
}

// maxHours bounds the cache: five years of hours, in about 5 MiB.
const maxHours = 44_000

const hourLength = len("2006-01-02 15")

func (c *hourCache) utc(value []byte) string {
	switch {
	case len(value) == 0 || c.zone == time.UTC && len(value) > len(dayLayout):
		return string(value)
	case len(value) == len(dayLayout):
		if converted, ok := convertWhole(string(value)+" 00:00:00", c.zone); ok {
			return converted
		}
		return string(value)
	case len(value) < len(secondsLayout) || !hasMinutes(value[hourLength:]):
		return string(value)
	}
	hour, known := c.hours[string(value[:hourLength])]
	if !known {
		hour = c.add(string(value[:hourLength]))
	}
	if hour != "" {
		return hour + string(value[hourLength:])
	}
	if converted, ok := convertWhole(string(value), c.zone); ok {
		return converted
	}
	return string(value)
}

// hasMinutes reports whether a text of six letters or more starts as :04:05 does.
func hasMinutes(text []byte) bool {
	for i, highest := range []byte(":59:59") {
		lowest := byte('0')
		if highest == ':' {
			lowest = ':'
		}
		if text[i] < lowest || text[i] > highest {
			return false
		}
	}
	return true
}

func (c *hourCache) add(local string) string {
	if len(c.hours) == maxHours || c.hours == nil {
		c.hours = map[string]string{}
	}
	c.hours[local] = c.convert(local)
	return c.hours[local]
}

// convert returns an hour in UTC, or "" if its minutes are not those of UTC.
func (c *hourCache) convert(hour string) string {
	first, err := time.ParseInLocation(secondsLayout, hour+":00:00", c.zone)
	last, lastErr := time.ParseInLocation(secondsLayout, hour+":59:59", c.zone)
	_, offset := first.Zone()
	if err != nil || lastErr != nil || !fourDigits(first) || offset%3600 != 0 || last.Sub(first) != time.Hour-time.Second {
		return ""
	}
	return first.UTC().Format(secondsLayout)[:hourLength]
}

// convertWhole converts a time of a zone whose minutes are not those of UTC, as Asia/Kolkata. Decimals stay.
func convertWhole(text string, zone *time.Location) (converted string, ok bool) {
	seconds, decimals, _ := strings.Cut(text, ".")
	t, err := time.ParseInLocation(secondsLayout, seconds, zone)
	if err != nil || !fourDigits(t) {
		return "", false
	}
	converted = t.UTC().Format(secondsLayout)
	if decimals != "" {
		converted += "." + decimals
	}
	return converted, true
}

// fourDigits reports whether the year in UTC has four digits.
func fourDigits(t time.Time) bool { return t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 }
