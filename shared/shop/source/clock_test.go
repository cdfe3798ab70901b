package source

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Kept hours give the same times as package time, around changes of the clocks too.
func TestKeptHoursAreRight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"} {
		zone, err := zoneOf(name)
		if err != nil {
			t.Fatal(err)
		}
		hours := hourCache{zone: zone}
		from := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
		for range 50_000 {
			local := from.Add(time.Duration(random.IntN(2*365*24*3600)) * time.Second).Format(secondsLayout)
			want, err := time.ParseInLocation(secondsLayout, local, zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := hours.utc([]byte(local)); got != want.UTC().Format(secondsLayout) {
				t.Fatalf("%s in %s is %s, want %s", local, name, got, want.UTC().Format(secondsLayout))
			}
		}
	}
}

func TestAZoneThatIsNone(t *testing.T) {
	if _, err := zoneOf("Europe/Atlantis"); err == nil {
		t.Error("a zone that is none is taken")
	}
}

// A text that is no time stays as it is, whatever it is.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"", "0000-00-00", "0000-00-00 00:00:00", "2024-02-30 25:61:61", "2024-01-01 12:00:00.5", "2024-01-01T12:00:00Z", "客客客客客客客"} {
		f.Add(seed)
	}
	zone, err := zoneOf("Europe/Paris")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, family := range []family{dates, datetimes, wholes, instants} {
			got := moment(field{family: family}, zone)([]byte(text))
			if got == text {
				continue
			}
			if _, err := time.Parse(secondsLayout, got[:min(len(got), len(secondsLayout))]); err != nil {
				t.Errorf("%q became %q", text, got)
			}
		}
	})
}
