package settings

import "errors"

// Sizes changes what a step runs on; package workflow has the defaults.
type Sizes struct {
	// TrainMemoryMiB is memory and cores of the training: 1,769 are one core. With 10,240, six cores, 20 million ratings
	// take some minutes. New accounts have a quota of 3,008.
	TrainMemoryMiB int `env:"TRAIN_MEMORY_MIB" option:"trainMemoryMiB"`
}

// Validate reports what Lambda does not sell, or what no training would fit into.
func (s Sizes) Validate() error {
	var f faults
	f.check(s.TrainMemoryMiB == 0 || s.TrainMemoryMiB >= 512 && s.TrainMemoryMiB <= 10_240,
		"trainMemoryMiB is %d: want 512 to 10,240", s.TrainMemoryMiB)
	return errors.Join(f...)
}

// Feed is how the activity stream is handed to recommend: the numbers of Lambda's event source mapping.
type Feed struct {
	// BatchSize, in records, and BatchWindowSeconds: a call comes when either is reached.
	BatchSize          int  `env:"BATCH_SIZE" envDefault:"500"`
	BatchWindowSeconds *int `env:"BATCH_WINDOW_SECONDS" envDefault:"1"`
	// MaxRecordAgeSeconds and MaxAttempts: what has failed for so long, or so often, goes whole to the
	// recommendations bucket under aws/lambda/. The default outlasts six hours without a database.
	MaxRecordAgeSeconds int  `env:"MAX_RECORD_AGE_SECONDS" envDefault:"21600"`
	MaxAttempts         *int `env:"MAX_ATTEMPTS" envDefault:"1000"`
}

// Validate reports every number that Lambda does not take.
func (s Feed) Validate() error {
	var f faults
	within := func(name string, value, low, high int) {
		f.check(value >= low && value <= high, "%s is %d: want %d to %d", name, value, low, high)
	}
	within("batchSize", s.BatchSize, 1, 10_000)
	within("batchWindowSeconds", *s.BatchWindowSeconds, 0, 300)
	within("maxRecordAgeSeconds", s.MaxRecordAgeSeconds, 60, 604_800)
	within("maxAttempts", *s.MaxAttempts, 0, 10_000)
	return errors.Join(f...)
}
