package embeddings

import (
	"errors"
	"fmt"
	"strings"

	"recsys/shared/contract/failure"
)

// maxFaults is the number of bad lines that an error names. The others are counted.
const maxFaults = 20

// Faults collects the faults of one hand-over's files, so that one look at the error is enough to mend them all.
type Faults struct {
	Unusable error // the model, nil if it is fine or absent

	named []string
	total int
}

// add notes a bad line, 1-based. Reasons hold ids and counts, never values.
func (f *Faults) add(file string, line int, reason string) {
	f.total++
	if len(f.named) < maxFaults {
		f.named = append(f.named, fmt.Sprintf("%s line %d: %s", file, line, reason))
	}
}

// Err is InvalidEmbeddings, or nil where nothing is wrong.
func (f *Faults) Err() error {
	if f.total == 0 && f.Unusable == nil {
		return nil
	}
	var text []string
	if f.Unusable != nil {
		text = append(text, f.Unusable.Error())
	}
	if f.total > 0 {
		heading := "1 bad line:"
		if f.total > 1 {
			heading = fmt.Sprintf("%d bad lines:", f.total)
		}
		text = append(append(text, heading), f.named...)
	}
	if more := f.total - len(f.named); more > 0 {
		text = append(text, fmt.Sprintf("and %d more", more))
	}
	return failure.InvalidEmbeddings.Wrap(errors.New(strings.Join(text, "\n")))
}
