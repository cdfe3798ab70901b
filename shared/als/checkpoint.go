package als

import (
	"crypto/sha256"

	"recsys/shared/interactions"
)

// Checkpoint is the state after an iteration.
type Checkpoint struct {
	Iteration   int
	Loss        float64
	Factors     Factors
	Fingerprint [32]byte
}

// RefusedCheckpoint is one that cannot be resumed.
type RefusedCheckpoint struct{ Reason string }

func (e *RefusedCheckpoint) Error() string { return "the checkpoint cannot be used: " + e.Reason }

func fingerprint(m *interactions.Matrix, o Options) [32]byte { return sha256.Sum256(nil) }
