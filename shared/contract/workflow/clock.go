package workflow

import "time"

// ClockTolerance is how far two clocks of machines that are set right may differ.
const ClockTolerance = 5 * time.Minute

// Ahead reports a start that lies more than ClockTolerance in the future. One of the two clocks is wrong. Such a start must not order runs, because it would go before all others until its time has come. The functions' own
// clock decides. On AWS it is set by the same service as that of Step Functions, and on one machine there is no other.
func Ahead(start time.Time) bool { return time.Until(start) > ClockTolerance }
