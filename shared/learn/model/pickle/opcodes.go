package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// The opcodes that Python 3 writes in protocols 2 to 5, by their names in pickletools.
const (
	opMark, opStop, opPop, opPopMark, opDup                     = '(', '.', '0', '1', '2'
	opBinInt, opBinInt1, opBinInt2, opNone, opBinFloat          = 'J', 'K', 'M', 'N', 'G'
	opBinPersID, opReduce, opBuild, opGlobal                    = 'Q', 'R', 'b', 'c'
	opBinUnicode, opAppend, opAppends                           = 'X', 'a', 'e'
	opEmptyDict, opEmptyList, opEmptyTuple, opTuple             = '}', ']', ')', 't'
	opSetItem, opSetItems                                       = 's', 'u'
	opBinGet, opLongBinGet, opBinPut, opLongBinPut              = 'h', 'j', 'q', 'r'
	opProto, opNewObj, opTuple1, opTuple2, opTuple3             = 0x80, 0x81, 0x85, 0x86, 0x87
	opNewTrue, opNewFalse, opLong1, opLong4                     = 0x88, 0x89, 0x8a, 0x8b
	opBinBytes, opShortBinBytes                                 = 'B', 'C'
	opShortBinUnicode, opBinUnicode8, opBinBytes8, opEmptySet   = 0x8c, 0x8d, 0x8e, 0x8f
	opAddItems, opFrozenSet, opNewObjEx, opStackGlobal, opMemos = 0x90, 0x91, 0x92, 0x93, 0x94
	opFrame, opByteArray8                                       = 0x95, 0x96
)

// longestInt is the most bytes that a Python int may have. PyTorch's magic number has 10.
const longestInt = 64

// step does one opcode. Those that are missing (protocols 0 and 1, the extension registry, out-of-band
// buffers) are none that Python writes for such files.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		return m.protocol()
	case opFrame: // only a hint how much to read ahead
		_, err := m.number(8)
		return err
	case opMark:
		return m.mark()
	case opPop:
		return m.drop()
	case opPopMark:
		_, err := m.takeToMark()
		return err
	case opDup:
		v, err := m.top()
		if err != nil {
			return err
		}
		return m.push(v)
	case opNone:
		return m.push(nil)
	case opNewTrue, opNewFalse:
		return m.push(op == opNewTrue)
	case opBinGet:
		return m.recall(m.number(1))
	case opLongBinGet:
		return m.recall(m.number(4))
	case opBinPut:
		return m.remember(m.number(1))
	case opLongBinPut:
		return m.remember(m.number(4))
	case opMemos:
		return m.remember(uint64(len(m.memo)), nil)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return m.pushNumber(op)
	case opBinUnicode, opShortBinUnicode, opBinUnicode8:
		return m.pushText(op)
	case opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		return m.pushBytes(op)
	case opEmptyTuple, opTuple1, opTuple2, opTuple3, opTuple, opFrozenSet:
		return m.pushTuple(op)
	case opEmptyList, opEmptyDict, opEmptySet:
		return m.pushEmpty(op)
	case opAppend, opAppends, opAddItems, opSetItem, opSetItems:
		return m.fill(op)
	case opGlobal, opStackGlobal:
		return m.pushClass(op)
	case opReduce, opNewObj, opNewObjEx:
		return m.pushObject(op)
	case opBuild:
		return m.build()
	case opBinPersID:
		id, err := m.pop()
		if err != nil {
			return err
		}
		return m.push(Persistent{id})
	}
	return m.malformed("opcode %#02x is none of those that Python 3 writes in protocols 2 to 5", op)
}

func (m *machine) protocol() error {
	version, err := m.number(1)
	if err == nil && (version < 2 || version > 5) {
		err = m.malformed("pickle protocol %d; 2 to 5 are read", version)
	}
	return err
}

// drop is POP, which also takes back a mark that has nothing on it.
func (m *machine) drop() error {
	if len(m.marks) > 0 && len(m.stack) == m.floor() {
		m.marks = m.marks[:len(m.marks)-1]
		return nil
	}
	_, err := m.pop()
	return err
}

func (m *machine) pushNumber(op byte) error {
	switch op {
	case opBinInt1:
		n, err := m.number(1)
		return m.pushed(int64(n), err)
	case opBinInt2:
		n, err := m.number(2)
		return m.pushed(int64(n), err)
	case opBinInt:
		n, err := m.number(4)
		return m.pushed(int64(int32(n)), err)
	case opBinFloat:
		b, err := m.read(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case opLong1:
		return m.pushLong(m.counted(1))
	default:
		return m.pushLong(m.counted(4))
	}
}

func (m *machine) pushed(v any, err error) error {
	if err != nil {
		return err
	}
	return m.push(v)
}

// pushLong reads a two's complement little-endian integer of any length.
func (m *machine) pushLong(b []byte, err error) error {
	if err != nil {
		return err
	}
	if len(b) > longestInt {
		return &LimitExceeded{"64 bytes in an integer"}
	}
	if err := m.charge(costValue); err != nil {
		return err
	}
	reversed := slices.Clone(b)
	slices.Reverse(reversed)
	n := new(big.Int).SetBytes(reversed)
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return m.push(n.Int64())
	}
	return m.push(n)
}

func width(op byte) int {
	switch op {
	case opShortBinUnicode, opShortBinBytes:
		return 1
	case opBinUnicode, opBinBytes:
		return 4
	}
	return 8
}

func (m *machine) pushText(op byte) error {
	b, err := m.counted(width(op))
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return m.malformed("a text that is not UTF-8")
	}
	if err := m.charge(costValue + int64(len(b))); err != nil {
		return err
	}
	return m.push(string(b))
}

func (m *machine) pushBytes(op byte) error {
	b, err := m.counted(width(op))
	if err != nil {
		return err
	}
	if err := m.charge(costValue); err != nil {
		return err
	}
	return m.push(b)
}

func (m *machine) pushTuple(op byte) error {
	var values Tuple
	var err error
	switch op {
	case opTuple, opFrozenSet:
		values, err = m.takeToMark()
	case opTuple1, opTuple2, opTuple3:
		values, err = m.take(int(op - opTuple1 + 1))
	default:
		err = m.charge(costValue)
	}
	if err != nil {
		return err
	}
	return m.push(values)
}

func (m *machine) pushEmpty(op byte) error {
	if err := m.charge(costValue); err != nil {
		return err
	}
	if op == opEmptyList {
		return m.push(&List{})
	}
	return m.push(&Dict{})
}
