package model

import (
	"errors"
	"fmt"

	"recsys/shared/learn/model/pickle"
)

// Unsupported is a file of another format than the one read here, or one that names a class off the
// allow-list. Nothing of it was run.
type Unsupported struct {
	File   string // the artifact's key, such as lake.ModelKey
	Found  string // the format or the class, such as "a TorchScript archive" or "the class builtins.eval"
	Advice string // how to save it instead
}

func (e *Unsupported) Error() string {
	return fmt.Sprintf("%s holds %s; %s", e.File, e.Found, e.Advice)
}

// Invalid is a file of the right kind that is damaged, too large, or does not fit the other files.
type Invalid struct {
	File string
	Err  error
}

func (e *Invalid) Error() string { return e.File + ": " + e.Err.Error() }
func (e *Invalid) Unwrap() error { return e.Err }

func invalid(file, format string, args ...any) error {
	return &Invalid{file, fmt.Errorf(format, args...)}
}

// explain turns an error of the unpickler into one about the file.
func explain(file, advice string, err error) error {
	if forbidden, ok := errors.AsType[*pickle.ForbiddenClass](err); ok {
		return &Unsupported{file, "the class " + forbidden.Class.String(), advice}
	}
	return &Invalid{file, fmt.Errorf("reading the pickle: %w", err)}
}
