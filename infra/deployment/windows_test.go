package deployment

import "testing"

func TestWindowsAreAwayFromTheSchedule(t *testing.T) {
	for _, c := range []struct {
		window, schedule, zone string
		want                   bool
	}{
		{"06:00-06:30", "cron(0 2 * * ? *)", "UTC", false},
		{"02:10-02:40", "cron(0 2 * * ? *)", "UTC", true},
		{"01:45-02:15", "cron(0 2 * * ? *)", "UTC", true},
		{"05:00-05:30", "cron(0 2 * * ? *)", "UTC", false},
		{"sun:23:50-mon:00:20", "cron(0 0 * * ? *)", "UTC", true},
		{"01:00-01:30", "cron(30 2 * * ? *)", "Europe/Paris", true}, // the run starts at 01:30 in winter, at 00:30 in summer
		{"04:45-05:15", "cron(30 2 * * ? *)", "Europe/Paris", false},
		{"02:00-02:30", "rate(6 hours)", "UTC", false},
	} {
		config := Config{Batch: Batch{Schedule: c.schedule, ScheduleTimezone: c.zone}}
		if got := config.disturbs(c.window); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for schedule, want := range map[[2]string]string{
		{"cron(0 2 * * ? *)", "UTC"}:            "06:00-06:30 sun:07:00-sun:07:30",
		{"cron(30 23 * * ? *)", "Asia/Tokyo"}:   "18:30-19:00 sun:19:30-sun:20:00",
		{"cron(15 20 * * ? *)", "America/Lima"}: "05:15-05:45 mon:06:15-mon:06:45",
		{"off", "UTC"}:                          "06:00-06:30 sun:07:00-sun:07:30",
	} {
		config := Config{Batch: Batch{Schedule: schedule[0], ScheduleTimezone: schedule[1]}}
		if got := config.DatabaseBackupWindow() + " " + config.DatabaseMaintenanceWindow(); got != want {
			t.Errorf("%v: windows %s, want %s", schedule, got, want)
		}
		if config.disturbs(config.DatabaseBackupWindow()) || config.disturbs(config.DatabaseMaintenanceWindow()) {
			t.Errorf("%v: its own windows are in its way", schedule)
		}
	}
}
