package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/aws/smithy-go"
)

// Verdict is how a check ended.
type Verdict string

const (
	Good    Verdict = "ok"
	Warning Verdict = "warning" // it works, and something is left to do
	Bad     Verdict = "fails"   // the deployment, or a main function of it, fails
	Unknown Verdict = "unknown" // these credentials may not look
)

// Finding is the answer of one check.
type Finding struct {
	Check   string
	Verdict Verdict
	Seen    string
	// Do says how to mend it, or is empty.
	Do string
}

func good(seen string, args ...any) Finding {
	return Finding{Verdict: Good, Seen: fmt.Sprintf(seen, args...)}
}

func warning(do, seen string, args ...any) Finding {
	return Finding{Verdict: Warning, Seen: fmt.Sprintf(seen, args...), Do: do}
}

func bad(do, seen string, args ...any) Finding {
	return Finding{Verdict: Bad, Seen: fmt.Sprintf(seen, args...), Do: do}
}

// unknown tells of a call that failed. A right that is missing is no fault of the deployment.
func unknown(err error) Finding {
	return Finding{Verdict: Unknown, Seen: err.Error()}
}

// isCode tells whether AWS answered with one of these error codes.
func isCode(err error, codes ...string) bool {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return false
	}
	for _, code := range codes {
		if answer.ErrorCode() == code {
			return true
		}
	}
	return false
}

// report prints findings and returns whether one of them is bad.
func report(out io.Writer, heading string, findings []Finding) (failed bool) {
	fmt.Fprintf(out, "%s\n", heading)
	for _, f := range findings {
		fmt.Fprintf(out, "  %-8s %-22s %s\n", f.Verdict, f.Check, f.Seen)
		if f.Do != "" {
			fmt.Fprintf(out, "  %-8s %-22s → %s\n", "", "", f.Do)
		}
		failed = failed || f.Verdict == Bad
	}
	return failed
}
