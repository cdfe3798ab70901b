package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// The cost of a value in addition to its bytes, in bytes: Go's headers, rounded up, and append's spare room.
const (
	costOperation = 16  // a number
	costSlot      = 16  // a place on the stack
	costValue     = 128 // a container, an object or a text
	costElement   = 64  // a place in a list, tuple or dict
	costMemo      = 96  // an entry of the memo's map
)

// Decode reads the pickle at the start of data, up to its STOP. It returns its value and the bytes after it. allowed
// is asked for every class that the pickle names. Errors: *ForbiddenClass, *LimitExceeded, *Malformed.
func Decode(data []byte, limits Limits, allowed func(Class) bool) (value any, rest []byte, err error) {
	return decode(data, limits, allowed, nil)
}

func decode(data []byte, limits Limits, allowed func(Class) bool, inline Inline) (value any, rest []byte, err error) {
	m := machine{data: data, limits: limits.withDefaults(), allowed: allowed, inline: inline, memo: map[uint32]any{}}
	if len(data) > m.limits.Bytes {
		return nil, nil, &LimitExceeded{fmt.Sprintf("%d bytes", m.limits.Bytes)}
	}
	if value, err = m.run(); err != nil {
		return nil, nil, err
	}
	return value, m.data[m.at:], nil
}

// machine is the pickle virtual machine: a stack, the marks on it, and the memo of values to share.
type machine struct {
	data    []byte
	at      int // next byte to read
	opcode  int // offset of the opcode at work, for errors
	limits  Limits
	allowed func(Class) bool
	inline  Inline // nil: nothing stands between the opcodes
	stack   []any
	marks   []int // heights of the stack where MARK was called
	memo    map[uint32]any

	memory     int64 // used of limits.Memory
	operations int   // done of limits.Operations
}

func (m *machine) run() (any, error) {
	if len(m.data) < m.at+2 || m.data[m.at] != opProto {
		return nil, m.malformed("not a pickle of protocol 2 to 5")
	}
	for ; m.operations < m.limits.Operations; m.operations++ {
		m.opcode = m.at
		op, err := m.read(1)
		if err != nil {
			return nil, err
		}
		if err := m.charge(costOperation); err != nil {
			return nil, err
		}
		if op[0] == opStop {
			return m.pop()
		}
		if err := m.step(op[0]); err != nil {
			return nil, err
		}
	}
	return nil, &LimitExceeded{fmt.Sprintf("%d operations", m.limits.Operations)}
}

func (m *machine) malformed(format string, args ...any) error {
	return &Malformed{m.opcode, fmt.Sprintf(format, args...)}
}

// charge counts memory before it is allocated.
func (m *machine) charge(n int64) error {
	if m.memory += n; m.memory > m.limits.Memory {
		return &LimitExceeded{fmt.Sprintf("%d bytes of memory", m.limits.Memory)}
	}
	return nil
}

// read takes the next n bytes of the input, without copying them.
func (m *machine) read(n int) ([]byte, error) {
	if n > len(m.data)-m.at {
		return nil, m.malformed("the file ends early")
	}
	b := m.data[m.at : m.at+n : m.at+n]
	m.at += n
	return b, nil
}

// number reads an unsigned little-endian integer of 1, 2, 4 or 8 bytes.
func (m *machine) number(width int) (uint64, error) {
	b, err := m.read(width)
	if err != nil {
		return 0, err
	}
	var word [8]byte
	copy(word[:], b)
	return binary.LittleEndian.Uint64(word[:]), nil
}

// counted reads a length of the given width and then so many bytes.
func (m *machine) counted(width int) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(m.data)-m.at) {
		return nil, m.malformed("the file ends early")
	}
	return m.read(int(n))
}

// line reads up to a newline and drops it.
func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.data[m.at:], '\n')
	if n < 0 {
		return "", m.malformed("the file ends early")
	}
	b, _ := m.read(n + 1)
	return string(b[:n]), m.charge(costValue + int64(n))
}

// floor is the lowest height that pops may reach: the last mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) push(v any) error {
	if n := len(m.stack); n == cap(m.stack) {
		if err := m.charge(costSlot * int64(n+64)); err != nil {
			return err
		}
		m.stack = slices.Grow(m.stack, n+64)
	}
	m.stack = append(m.stack, v)
	return nil
}

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err != nil {
		return nil, err
	}
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, m.malformed("nothing on the stack")
	}
	return m.stack[len(m.stack)-1], nil
}

// take pops n values and returns a copy of them, in order.
func (m *machine) take(n int) (Tuple, error) {
	if len(m.stack)-m.floor() < n {
		return nil, m.malformed("too few values on the stack")
	}
	if err := m.charge(costValue + costElement*int64(n)); err != nil {
		return nil, err
	}
	from := len(m.stack) - n
	values := append(Tuple(nil), m.stack[from:]...)
	m.stack = m.stack[:from]
	return values, nil
}

func (m *machine) mark() error {
	if len(m.marks) == m.limits.Nesting {
		return &LimitExceeded{fmt.Sprintf("%d levels of nesting", m.limits.Nesting)}
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// takeToMark pops everything above the last mark, and the mark.
func (m *machine) takeToMark() (Tuple, error) {
	if len(m.marks) == 0 {
		return nil, m.malformed("no mark")
	}
	values, err := m.take(len(m.stack) - m.floor())
	if err != nil {
		return nil, err
	}
	m.marks = m.marks[:len(m.marks)-1]
	return values, nil
}

// remember puts the top of the stack into the memo.
func (m *machine) remember(index uint64, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	m.memo[uint32(index)] = v
	return m.charge(costMemo)
}

// recall pushes a value of the memo.
func (m *machine) recall(index uint64, err error) error {
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(index)]
	if !ok {
		return m.malformed("nothing in the memo under %d", index)
	}
	return m.push(v)
}
