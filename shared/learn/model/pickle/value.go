// Package pickle reads Python pickles as data, without running anything.
//
// Promise: Decode never calls, imports or constructs anything that a pickle names. A class becomes a Class, and a
// call becomes an Object that notes function and arguments. A class off the caller's allow-list is an error. Hostile
// input ends in an error: no panic, and no more operations, memory or nesting than Limits allow. Readers of the
// answer must not recurse into it unbounded, because lists may hold themselves.
//
// Reads: the binary protocols 2 to 5, as Python 3 writes them. Writes: nothing.
// Spec: Lib/pickletools.py of CPython, PEP 307, PEP 3154, PEP 574 (without out-of-band buffers).
//
// github.com/nlpodyssey/gopickle v0.3.0 was weighed first. Two bytes after the protocol byte make it panic (opcode
// 0xff, or a frame of 2^62 bytes), and a pickle of 7 bytes makes it allocate 1 GiB.
package pickle

import "fmt"

// Decoded values are: nil (None), bool, int64, *big.Int (beyond 64 bits), float64, string (str), Tuple, *List, *Dict,
// Class, *Object, Persistent, and []byte (bytes and bytearray), which shares the input's memory.
type (
	// Tuple is a tuple, and also a frozenset.
	Tuple []any

	// List is a list.
	List struct{ Items []any }

	// Dict is a dict or a set (with nil values): its items in the order they were set, repeats included.
	Dict struct{ Items []Item }

	// Item is one pair of a Dict.
	Item struct{ Key, Value any }

	// Class is a global, named but not imported.
	Class struct{ Module, Name string }

	// Object is a call that was not made: Class(*Args), then its state and, for subclasses of dict, its items.
	Object struct {
		Class Class
		Args  Tuple
		State any // the argument for __setstate__, nil if there is none
		Dict
	}

	// Persistent is an id that the pickle's reader is meant to resolve, such as PyTorch's storages.
	Persistent struct{ ID any }
)

// String is the full name, cut to a bearable length: it comes from outside and goes into errors.
func (c Class) String() string { return fmt.Sprintf("%.100s.%.100s", c.Module, c.Name) }

// Get returns the value that was last set under a text key.
func (d *Dict) Get(key string) (any, bool) {
	for i := len(d.Items) - 1; i >= 0; i-- {
		if k, ok := d.Items[i].Key.(string); ok && k == key {
			return d.Items[i].Value, true
		}
	}
	return nil, false
}

// Limits bound one Decode. A zero field means its default.
type Limits struct {
	Bytes      int   // length of the input (default 16 MiB)
	Operations int   // opcodes (default 2,000,000)
	Memory     int64 // bytes held by the values and the machine, an estimate from above (default 64 MiB)
	Nesting    int   // marks open at once (default 1,000)
}

func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = 16 << 20
	}
	if l.Operations == 0 {
		l.Operations = 2_000_000
	}
	if l.Memory == 0 {
		l.Memory = 64 << 20
	}
	if l.Nesting == 0 {
		l.Nesting = 1_000
	}
	return l
}

// ForbiddenClass is a class that the allow-list does not hold. Nothing of it was imported or called.
type ForbiddenClass struct{ Class Class }

func (e *ForbiddenClass) Error() string { return fmt.Sprintf("the class %s is not allowed", e.Class) }

// LimitExceeded says which limit the pickle would have broken.
type LimitExceeded struct{ Limit string }

func (e *LimitExceeded) Error() string { return "more than " + e.Limit }

// Malformed is a pickle that ends early, that breaks the format, or that is of protocol 0 or 1.
type Malformed struct {
	Offset int // of the opcode, from the start of the input
	Reason string
}

func (e *Malformed) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason) }
