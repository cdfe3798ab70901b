package deployment

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// RDS patches and saves the databases in windows of half an hour, in UTC. A patch takes a database away for longer than
// the workflow tries again, so both windows are hours away from the run that the schedule starts.

const (
	// runPatience is how long after its start a run should find its databases undisturbed.
	runPatience = 3 * time.Hour
	// Without options, the windows follow the start of the run by so much.
	backupAfter      = 4 * time.Hour
	maintenanceAfter = 5 * time.Hour
	windowLength     = 30 * time.Minute
)

// DatabaseBackupWindow is the option's, or else derived from the schedule.
func (c Config) DatabaseBackupWindow() string {
	if c.BackupWindow != "" {
		return c.BackupWindow
	}
	from := c.runStart(time.January).Add(backupAfter)
	return from.Format("15:04-") + from.Add(windowLength).Format("15:04")
}

// DatabaseMaintenanceWindow is the option's, or else derived from the schedule.
func (c Config) DatabaseMaintenanceWindow() string {
	if c.MaintenanceWindow != "" {
		return c.MaintenanceWindow
	}
	from := c.runStart(time.January).Add(maintenanceAfter)
	spell := func(t time.Time) string { return strings.ToLower(t.Format("Mon:15:04")) }
	return spell(from) + "-" + spell(from.Add(windowLength))
}

// daily finds the fixed minute and hour of a cron expression of EventBridge Scheduler.
var daily = regexp.MustCompile(`^cron\((\d{1,2}) (\d{1,2}) `)

// runStart is when a run starts on the first Sunday of a month, in UTC. A schedule without a fixed hour counts as 02:00.
func (c Config) runStart(month time.Month) time.Time {
	hour, minute, zone := 2, 0, time.UTC
	if at := daily.FindStringSubmatch(c.Schedule); at != nil {
		minute, _ = strconv.Atoi(at[1])
		hour, _ = strconv.Atoi(at[2])
		if named, err := time.LoadLocation(c.ScheduleTimezone); err == nil {
			zone = named
		}
	}
	first := time.Date(2026, month, 1, hour, minute, 0, 0, zone)
	return first.AddDate(0, 0, (7-int(first.Weekday()))%7).UTC()
}

// disturbs tells whether a window ("03:00-03:30" or "sun:03:00-sun:03:30") falls into the run, in winter or in summer.
func (c Config) disturbs(window string) bool {
	if !daily.MatchString(c.Schedule) {
		return false
	}
	const day = 24 * time.Hour
	from, to := windowTimes(window)
	for _, month := range []time.Month{time.January, time.July} {
		start := c.runStart(month)
		begin := time.Duration(start.Hour())*time.Hour + time.Duration(start.Minute())*time.Minute
		for at := from; at <= to; at += time.Minute {
			if (at-begin+day)%day < runPatience {
				return true
			}
		}
	}
	return false
}

// overlap tells whether two windows share a time of day. RDS refuses that, on the day that both have.
func overlap(a, b string) bool {
	const day = 24 * time.Hour
	aFrom, aTo := windowTimes(a)
	bFrom, bTo := windowTimes(b)
	return (bFrom-aFrom+day)%day < aTo-aFrom || (aFrom-bFrom+day)%day < bTo-bFrom
}

// windowTimes are a window's ends as times of day. The second may lie on the day after. The option's pattern has been
// checked.
func windowTimes(window string) (from, to time.Duration) {
	var ends [2]time.Duration
	for i, end := range strings.SplitN(window, "-", 2) {
		var hour, minute int
		fmt.Sscanf(end[len(end)-len("15:04"):], "%d:%d", &hour, &minute)
		ends[i] = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	}
	if ends[1] <= ends[0] {
		ends[1] += 24 * time.Hour
	}
	return ends[0], ends[1]
}
