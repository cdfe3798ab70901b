package als

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"recsys/shared/contract/settings"
)

// Interrupted after any iteration, and resumed from the encoded checkpoint by another number of workers.
func TestResumeEndsWithTheSameBits(t *testing.T) {
	resumeEndsWithTheSameBits(t, 32)
	resumeEndsWithTheSameBits(t, 70)
}

func resumeEndsWithTheSameBits(t *testing.T, factors int) {
	data, o := generate(4, 500, 300, 9_000), Default()
	o.Factors, o.Iterations = factors, 4
	var checkpoints []Checkpoint
	want, err := Fit(t.Context(), data, o, nil, func(c Checkpoint) error {
		var encoded bytes.Buffer
		if n, err := c.WriteTo(&encoded); err != nil || n != int64(encoded.Len()) {
			t.Errorf("%d of %d bytes, error %v", n, encoded.Len(), err)
		}
		read, err := ReadCheckpoint(&encoded)
		checkpoints = append(checkpoints, read)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Workers = 3
	for _, c := range checkpoints {
		iteration := c.Iteration
		got, err := Fit(t.Context(), data, o, &c, func(next Checkpoint) error {
			if iteration++; next.Iteration != iteration || next.Loss != checkpoints[iteration-1].Loss {
				t.Errorf("iteration %d with loss %g, want %d with %g", next.Iteration, next.Loss, iteration, checkpoints[iteration-1].Loss)
			}
			return nil
		})
		if err != nil || !same(got, want) || iteration != o.Iterations {
			t.Errorf("resumed after iteration %d: other bits, or error %v, in iteration %d", c.Iteration, err, iteration)
		}
	}
}

func checkpointOf(t *testing.T, data Data, o Options) (c Checkpoint) {
	t.Helper()
	stop := errors.New("enough")
	if _, err := Fit(t.Context(), data, o, nil, func(got Checkpoint) error { c = got; return stop }); err != stop {
		t.Fatalf("error %v, want that of after", err)
	}
	return c
}

func TestForeignCheckpointsAreRefused(t *testing.T) {
	data, o := generate(5, 50, 40, 500), Default()
	c := checkpointOf(t, data, o)
	if _, err := Fit(t.Context(), data, o, &c, nil); err != nil {
		t.Fatal(err)
	}
	others := map[string]func(*Data, *Options, *Checkpoint){
		"seed":       func(_ *Data, o *Options, _ *Checkpoint) { o.Seed++ },
		"factors":    func(_ *Data, o *Options, _ *Checkpoint) { o.Factors = 16 },
		"weights":    func(_ *Data, o *Options, _ *Checkpoint) { o.RatingWeights[2] = 2 },
		"iterations": func(_ *Data, o *Options, _ *Checkpoint) { o.Iterations++ },
		"features":   func(d *Data, _ *Options, _ *Checkpoint) { d.Users = nil },
		"a feature": func(d *Data, _ *Options, _ *Checkpoint) {
			changed := *d.Items
			changed.Values = slices.Clone(changed.Values)
			changed.Values[0]++
			d.Items = &changed
		},
		"a rating": func(d *Data, _ *Options, _ *Checkpoint) {
			changed := *d.Ratings
			changed.Ratings = slices.Clone(changed.Ratings)
			changed.Ratings[1] = changed.Ratings[1]%500 + 100
			d.Ratings = &changed
		},
		"iteration": func(_ *Data, _ *Options, c *Checkpoint) { c.Iteration = 11 },
		"vectors":   func(_ *Data, _ *Options, c *Checkpoint) { c.Factors.Users = c.Factors.Users[1:] },
	}
	for name, change := range others {
		data, o, c := data, o, c
		change(&data, &o, &c)
		if _, err := Fit(t.Context(), data, o, &c, nil); !errors.As(err, new(*RefusedCheckpoint)) {
			t.Errorf("other %s: %v", name, err)
		}
	}
}

func TestDamagedCheckpointsAreRefused(t *testing.T) {
	c := checkpointOf(t, generate(6, 8, 12, 20), Options{Training: settings.Training{Factors: 2, Iterations: 2, UnobservedWeight: 1, Regularization: 1, FeatureRidge: 1}, RatingWeights: [5]float64{1, 1, 1, 1, 1}})
	var encoded bytes.Buffer
	if _, err := c.WriteTo(&encoded); err != nil {
		t.Fatal(err)
	}
	whole := encoded.Bytes()
	refused := func(what string, data []byte) {
		if _, err := ReadCheckpoint(bytes.NewReader(data)); !errors.As(err, new(*RefusedCheckpoint)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n := range whole {
		refused(fmt.Sprintf("cut to %d of %d bytes", n, len(whole)), whole[:n])
		damaged := bytes.Clone(whole)
		damaged[n] ^= 0x10
		refused(fmt.Sprintf("byte %d flipped", n), damaged)
	}
	refused("one byte more", append(bytes.Clone(whole), 0))
	broken := errors.New("broken")
	if _, err := ReadCheckpoint(io.MultiReader(bytes.NewReader(whole[:90]), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("a failing reader: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzReadCheckpoint(f *testing.F) {
	var encoded bytes.Buffer
	if _, err := (Checkpoint{Iteration: 1, Loss: 2, Factors: Factors{Dimension: 2, Users: []float32{1, 2}, Items: []float32{3, 4, 5, 6}}}).WriteTo(&encoded); err != nil {
		f.Fatal(err)
	}
	f.Add(encoded.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadCheckpoint(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := c.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), data) {
			t.Errorf("read and written, it is another: %v", err)
		}
	})
}
