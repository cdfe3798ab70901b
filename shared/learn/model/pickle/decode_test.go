package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func anyClass(Class) bool { return true }
func noClass(Class) bool  { return false }

// The bytes are the output of Python 3.11: pickle.dumps(value, protocol).
func TestPicklesOfPythonAreDecoded(t *testing.T) {
	for name, c := range map[string]struct {
		pickle string
		want   any
	}{
		"None, protocol 2": {"\x80\x02N.", nil},
		"True":             {"\x80\x04\x88.", true},
		"-1":               {"\x80\x02J\xff\xff\xff\xff.", int64(-1)},
		"65535":            {"\x80\x04M\xff\xff.", int64(65535)},
		"-2**63":           {"\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", int64(math.MinInt64)},
		"2**63":            {"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.", new(big.Int).Lsh(big.NewInt(1), 63)},
		"0.5":              {"\x80\x02G?\xe0\x00\x00\x00\x00\x00\x00.", 0.5},
		"'é'":              {"\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x02\xc3\xa9\x94.", "é"},
		"b'\\x00'":         {"\x80\x03C\x01\x00q\x00.", []byte{0}},
		"bytearray(b'a')":  {"\x80\x05\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x96\x01\x00\x00\x00\x00\x00\x00\x00a\x94.", []byte("a")},
		"(1, (), [2])":     {"\x80\x02K\x01)]q\x00K\x02a\x87q\x01.", Tuple{int64(1), Tuple(nil), &List{[]any{int64(2)}}}},
		"{'a': 1, 'b': 2}": {"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01X\x01\x00\x00\x00bq\x02K\x02u.",
			&Dict{[]Item{{"a", int64(1)}, {"b", int64(2)}}}},
		"{1}": {"\x80\x04\x8f\x94(K\x01\x90.", &Dict{[]Item{{Key: int64(1)}}}},
		"OrderedDict(a=1)": {"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00aq\x02K\x01s.",
			&Object{Class: Class{"collections", "OrderedDict"}, Dict: Dict{[]Item{{"a", int64(1)}}}}},
		"an object with a state": {"\x80\x04\x8c\x01m\x94\x8c\x01C\x94\x93\x94)\x81\x94}\x94b.",
			&Object{Class: Class{"m", "C"}, State: &Dict{}}},
		"a persistent id": {"\x80\x02K\x07Q.", Persistent{int64(7)}},
	} {
		got, rest, err := Decode([]byte(c.pickle+"rest"), Limits{}, anyClass)
		if err != nil || !reflect.DeepEqual(got, c.want) || string(rest) != "rest" {
			t.Errorf("%s: %#v, rest %q, error %v", name, got, rest, err)
		}
		for n := range c.pickle {
			if _, _, err := Decode([]byte(c.pickle[:n]), Limits{}, anyClass); err == nil {
				t.Errorf("%s cut to %d bytes: no error", name, n)
			}
		}
	}
}

func TestSharedValuesStayShared(t *testing.T) {
	v, _, err := Decode([]byte("\x80\x02]q\x00h\x00a."), Limits{}, noClass) // a = [], then a.append(a)
	if err != nil {
		t.Fatal(err)
	}
	if list := v.(*List); list.Items[0] != any(list) {
		t.Error("the list does not hold itself")
	}
}

func TestAClassOffTheListIsNamed(t *testing.T) {
	for _, attack := range []string{
		"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.",
		"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02ls\x85R.",
	} {
		_, _, err := Decode([]byte(attack), Limits{}, noClass)
		if forbidden, ok := errors.AsType[*ForbiddenClass](err); !ok || forbidden.Class != (Class{"posix", "system"}) {
			t.Errorf("%v", err)
		}
	}
}

func TestMalformedPicklesAreErrors(t *testing.T) {
	for name, p := range map[string]string{
		"empty": "", "text protocol": "I1\n.", "protocol 9": "\x80\x09N.", "unknown opcode": "\x80\x04\xff",
		"nothing to return": "\x80\x04.", "pop of nothing": "\x80\x040.", "no mark": "\x80\x04t.",
		"no memo": "\x80\x04h\x05.", "append to a number": "\x80\x04K\x01K\x02a.", "items for a list": "\x80\x04]K\x01K\x02s.",
		"odd items": "\x80\x04}(K\x01u.", "call of a text": "\x80\x04X\x01\x00\x00\x00a)R.", "arguments no tuple": "\x80\x04cm\nc\nK\x01R.",
		"class name no text": "\x80\x04K\x01K\x02\x93.", "state for a number": "\x80\x04K\x01K\x02b.", "no UTF-8": "\x80\x04\x8c\x01\xff.",
		"keywords": "\x80\x04cm\nc\n)}X\x01\x00\x00\x00aK\x01s\x92.", "pop below a mark": "\x80\x04K\x01(\x85.",
		"extension registry": "\x80\x02\x82\x01.", "out-of-band buffer": "\x80\x05\x97.",
		"huge bytes": "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff", "half of the address space": "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
		"1 GiB of bytes": "\x80\x04B\x00\x00\x00\x40", "1 GiB of digits": "\x80\x04\x8b\x00\x00\x00\x40",
	} {
		_, _, err := Decode([]byte(p), Limits{}, anyClass)
		if _, ok := errors.AsType[*Malformed](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLimitsHold(t *testing.T) {
	for name, c := range map[string]struct {
		pickle string
		limits Limits
	}{
		"bytes":      {"\x80\x04" + strings.Repeat("N0", 100) + "N.", Limits{Bytes: 100}},
		"operations": {"\x80\x04" + strings.Repeat("N0", 100) + "N.", Limits{Operations: 100}},
		"memory":     {"\x80\x04" + strings.Repeat("]", 1000) + ".", Limits{Memory: 10_000}},
		"memo":       {"\x80\x04N" + strings.Repeat("\x94", 1000) + ".", Limits{Memory: 10_000}},
		"marks":      {"\x80\x04" + strings.Repeat("(", 2000) + ".", Limits{}},
		"integer":    {"\x80\x04\x8a\xff" + strings.Repeat("\x01", 255) + ".", Limits{}},
	} {
		_, _, err := Decode([]byte(c.pickle), c.limits, anyClass)
		if _, ok := errors.AsType[*LimitExceeded](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bombs are pickles that grow as fast as the format lets them, one kind of value each.
func bombs() map[string][]byte {
	const n = 4 << 20
	start := func(s string) []byte { return []byte("\x80\x04" + s) }
	return map[string][]byte{
		"lists":  append(start(""), bytes.Repeat([]byte("]"), n)...),
		"memo":   append(start("N"), bytes.Repeat([]byte("\x94"), n)...),
		"copies": append(start("N"), bytes.Repeat([]byte("2"), n)...),
		"tuples": append(start("N"), bytes.Repeat([]byte("\x85"), n)...),
		"dict":   append(start("}"), bytes.Repeat([]byte("NNs"), n/3)...),
		"objects": append(start("cm\nc\n\x94"),
			bytes.Repeat([]byte("h\x00)R"), n/4)...),
		"doubling": append(start("]\x94"), bytes.Repeat([]byte("h\x00h\x00a\x94"), n/6)...),
	}
}

func TestBombsAllocateNoMoreThanTheLimit(t *testing.T) {
	const limit = 32 << 20
	for name, bomb := range bombs() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Decode(bomb, Limits{Memory: limit}, anyClass)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		// All memory that was ever allocated, with the garbage of growing slices and maps, is at most twice the
		// memory that is held.
		if total := after.TotalAlloc - before.TotalAlloc; total > 2*limit {
			t.Errorf("%s: %d MiB allocated under a limit of %d", name, total>>20, limit>>20)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range []string{
		"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u.", "\x80\x04\x8c\x01m\x94\x8c\x01C\x94\x93\x94)\x81\x94}\x94b.",
		"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00aq\x02K\x01s.",
		"\x80\x05\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x96\x01\x00\x00\x00\x00\x00\x00\x00a\x94.",
		"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.", "\x80\x04\x8f\x94(K\x01\x90.", "\x80\x02K\x07Q.",
		"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
	} {
		f.Add([]byte(p))
	}
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, rest, err := Decode(data, Limits{Operations: 10_000, Memory: limit}, anyClass)
		runtime.ReadMemStats(&after)
		if total := after.TotalAlloc - before.TotalAlloc; total > 4*limit+uint64(len(data)) {
			t.Errorf("%d bytes allocated", total)
		}
		if err == nil && !bytes.HasSuffix(data, rest) {
			t.Error("the rest is not the input's end")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	p := []byte("\x80\x04](")
	for i := range uint32(100_000) {
		p = binary.LittleEndian.AppendUint32(append(p, 'J'), i)
	}
	p = append(p, "e."...)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Decode(p, Limits{}, noClass); err != nil {
			b.Fatal(err)
		}
	}
}
