package unpack_test

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"

	"recsys/shared/stream/unpack"
	. "recsys/shared/stream/unpack/unpacktest"
)

const a, b, c = `{"session_id":"a"}`, `{"session_id":"b"}`, `{"session_id":"c"}`

// texts returns the parts, those with an error as "! error".
func texts(parts []unpack.Part) (all []string) {
	for _, part := range parts {
		if part.Err != nil {
			all = append(all, "! "+part.Err.Error())
			continue
		}
		all = append(all, string(part.Data))
	}
	return all
}

func TestRecord(t *testing.T) {
	pretty := "{\n  \"session_id\": \"a\",\n  \"browse_history\": [\n    {}\n  ]\n}"
	for name, packed := range map[string]struct {
		in   string
		want []string
	}{
		"one record":              {a, []string{a}},
		"one record with its end": {a + "\r\n", []string{a + "\r\n"}},
		"nothing":                 {"", []string{""}},
		"blank lines":             {"\n\n", []string{"\n\n"}},
		"no JSON":                 {"not\njson\n", []string{"not\njson\n"}},

		"lines":                             {a + "\n" + b + "\n", []string{a, b}},
		"lines of Windows, blank ones":      {"\r\n" + a + "\r\n\r\n \t\r\n" + b, []string{a, b}},
		"lines with NaN":                    {`{"x":NaN}` + "\n" + `{"y":NaN}`, []string{`{"x":NaN}`, `{"y":NaN}`}},
		"a broken line":                     {a + "\n{\"session_id\":\n" + b, []string{a, `{"session_id":`, b}},
		"a broken first line":               {"{\"session\n" + b, []string{`{"session`, b}},
		"marks of the byte order":           {"\ufeff" + a + "\n\ufeff" + b, []string{a, b}},
		"one record on several lines":       {pretty, []string{pretty}},
		"the same with NaN":                 {strings.Replace(pretty, "{}", "NaN", 1), []string{strings.Replace(pretty, "{}", "NaN", 1)}},
		"the same with a byte order mark":   {"\ufeff" + pretty, []string{"\ufeff" + pretty}},
		"a list on several lines":           {"[\n" + a + ",\n" + b + "\n]", []string{"[\n" + a + ",\n" + b + "\n]"}},
		"one record on lines, and another":  {"{\n}\n" + a, []string{"{", "}", a}},
		"gzip":                              {string(Gzip(a)), []string{a}},
		"gzip of lines":                     {string(Gzip(a + "\n" + b)), []string{a, b}},
		"gzip of several members":           {string(Gzip(a+"\n", b+"\n", c)), []string{a, b, c}},
		"gzip of nothing":                   {string(Gzip("")), []string{""}},
		"gzip of gzip":                      {string(Gzip(string(Gzip(a)))), []string{a}},
		"an aggregate":                      {string(Aggregate("k", a, b)), []string{a, b}},
		"an aggregate of one":               {string(Aggregate("k", a)), []string{a}},
		"an aggregate of an empty record":   {string(Aggregate("k", a, "", b)), []string{a, "", b}},
		"an aggregate of lines":             {string(Aggregate("k", a+"\n"+b, c)), []string{a, b, c}},
		"an aggregate of gzip of lines":     {string(Aggregate("k", string(Gzip(a+"\n"+b)), c)), []string{a, b, c}},
		"gzip of an aggregate of gzip":      {string(Gzip(string(Aggregate("k", string(Gzip(a)), b)))), []string{a, b}},
		"an aggregate with fields of later": {string(Seal(Number(Field(aggregateOf(recordOf(0, a)), 9, "later"), 8, 7))), []string{a}},

		"gzip that is broken":     {string(Gzip(a)[:20]), []string{"! broken gzip: unexpected EOF"}},
		"gzip by its magic":       {"\x1f\x8bno", []string{"! not gzip, though it begins so: unexpected EOF"}},
		"gzip with a foreign end": {string(Gzip(a)) + "foreign end", []string{"! broken gzip: gzip: invalid header"}},
		"broken gzip among others": {string(Aggregate("k", a, string(Gzip(b)[:20]), c)),
			[]string{a, "! broken gzip: unexpected EOF", c}},
		"packed too often": {string(Gzip(string(Gzip(string(Gzip(string(Gzip(a)))))))), []string{"! it is packed more than 3 times over"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := texts(unpack.Record([]byte(packed.in))); !slices.Equal(got, packed.want) {
				t.Errorf("got %q, want %q", got, packed.want)
			}
		})
	}
}

func aggregateOf(records ...[]byte) []byte {
	message := Field(nil, 1, "k")
	for _, record := range records {
		message = Field(message, 3, string(record))
	}
	return message
}

func recordOf(key uint64, data string) []byte { return Field(Number(nil, 1, key), 3, data) }

// TestBrokenAggregates are one part with the reason.
func TestBrokenAggregates(t *testing.T) {
	whole := Aggregate("k", a, b)
	changed := bytes.Clone(whole)
	changed[30] ^= 1
	for name, broken := range map[string]struct {
		in     []byte
		reason string
	}{
		"another checksum":   {changed, "broken KPL aggregate: its MD5 is another one"},
		"cut off":            {whole[:len(whole)-1], "broken KPL aggregate: its MD5 is another one"},
		"shorter than MD5":   {whole[:12], "broken KPL aggregate: it ends before its checksum"},
		"no protobuf":        {Seal([]byte("hello")), "broken KPL aggregate: "},
		"a length beyond":    {Seal([]byte{0x1a, 0xff, 0xff, 0x03}), "broken KPL aggregate: "},
		"no records":         {Seal(Field(nil, 1, "k")), "KPL aggregate without records"},
		"nothing at all":     {Seal(nil), "KPL aggregate without records"},
		"no data":            {Seal(aggregateOf(Number(nil, 1, 0))), "broken KPL aggregate: record 0 has no data"},
		"no key":             {Seal(aggregateOf(recordOf(0, a), Field(nil, 3, b))), "broken KPL aggregate: record 1 has no partition key"},
		"a key beyond":       {Seal(aggregateOf(recordOf(1, a))), "broken KPL aggregate: record 0 has no partition key"},
		"a hash key beyond":  {Seal(aggregateOf(Number(recordOf(0, a), 2, 0))), "broken KPL aggregate: record 0 has a hash key that is not in the table"},
		"data of a number":   {Seal(aggregateOf(Number(Number(nil, 1, 0), 3, 7))), "broken KPL aggregate: field 3 is of another type"},
		"a record of number": {Seal(Number(Field(nil, 1, "k"), 3, 7)), "broken KPL aggregate: field 3 is of another type"},
	} {
		t.Run(name, func(t *testing.T) {
			parts := unpack.Record(broken.in)
			if len(parts) != 1 || parts[0].Err == nil || !strings.HasPrefix(parts[0].Err.Error(), broken.reason) || !bytes.Equal(parts[0].Data, broken.in) {
				t.Errorf("got %q, want %q", texts(parts), broken.reason)
			}
		})
	}
}

func TestPartitionKeys(t *testing.T) {
	message := Field(Field(nil, 3, string(recordOf(1, a+"\n"+b))), 3, string(recordOf(0, c))) // the tables come last
	message = Field(Field(message, 1, "first"), 1, "second")
	var keys []string
	for _, part := range unpack.Record(Seal(message)) {
		keys = append(keys, part.PartitionKey)
	}
	if !slices.Equal(keys, []string{"second", "second", "first"}) {
		t.Errorf("keys %q", keys)
	}
}

// TestLimits: a record beyond them is rejected as it came, for any packing.
func TestLimits(t *testing.T) {
	many := slices.Repeat([]string{a}, unpack.MaxParts)
	bomb := string(Gzip(strings.Repeat(" ", unpack.MaxBytes/2+1)))
	for name, c := range map[string]struct {
		in     []byte
		reason string
	}{
		"as many as may be": {Aggregate("k", many...), ""},
		"one more":          {Aggregate("k", append(many, a)...), "it holds more than 10000 records: pack fewer into one"},
		"lines":             {[]byte(strings.Join(append(many, a), "\n")), "it holds more than 10000 records: pack fewer into one"},
		"lines in gzip":     {Aggregate("k", string(Gzip(strings.Join(many, "\n"))), a), "it holds more than 10000 records: pack fewer into one"},
		"large":             {[]byte(bomb), ""},
		"too large":         {Gzip(strings.Repeat(" ", unpack.MaxBytes+1)), "it unpacks to more than 33554432 bytes: pack fewer records into one"},
		"too large in all":  {Aggregate("k", a, bomb, bomb), "it unpacks to more than 33554432 bytes: pack fewer records into one"},
	} {
		t.Run(name, func(t *testing.T) {
			parts := unpack.Record(c.in)
			if c.reason == "" {
				if parts[0].Err != nil {
					t.Error(parts[0].Err)
				}
				return
			}
			if len(parts) != 1 || parts[0].Err == nil || parts[0].Err.Error() != c.reason || !bytes.Equal(parts[0].Data, c.in) {
				t.Errorf("%d parts, the first with %v; want %q", len(parts), parts[0].Err, c.reason)
			}
		})
	}
}

// A portion of records must keep their parts in memory, and not the blank text around and inside them.
func TestPartsDoNotKeepTheTextAroundThem(t *testing.T) {
	blank := strings.Repeat("\n", unpack.MaxBytes/8)
	for name, packed := range map[string][]byte{
		"a record": Gzip(blank + a), "lines": Gzip(a + blank + b), "inside": Gzip(strings.Replace(a, ":", ":"+strings.ReplaceAll(blank, "\n", " "), 1)),
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var portion [][]unpack.Part
		for range 8 {
			portion = append(portion, unpack.Record(packed))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > unpack.MaxBytes/8 {
			t.Errorf("%s: %d MiB are kept", name, kept>>20)
		}
		for _, parts := range portion {
			if string(parts[0].Data) != a {
				t.Errorf("%s: the first part has %d bytes", name, len(parts[0].Data))
			}
		}
	}
}

func TestEventID(t *testing.T) {
	for want, got := range map[string]string{
		"shardId-000000000000:49":   unpack.EventID("shardId-000000000000:49", 0, 1),
		"shardId-000000000000:49-0": unpack.EventID("shardId-000000000000:49", 0, 2),
		"shardId-000000000000:49-1": unpack.EventID("shardId-000000000000:49", 1, 2),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// FuzzRecord: any input has parts, within the limits, and the same ones when it comes again.
func FuzzRecord(f *testing.F) {
	for _, seed := range [][]byte{
		[]byte(a), []byte(a + "\n" + b), Gzip(a, b), Aggregate("k", a, b), Aggregate("k", string(Gzip(a+"\n"+b))),
		Gzip(string(Aggregate("k", a))), Seal(nil), []byte("{\n}\n{}"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		for _, data := range [][]byte{in, Seal(in), Seal(Field(Field(nil, 1, "k"), 3, string(in)))} {
			parts := unpack.Record(data)
			if len(parts) == 0 || len(parts) > unpack.MaxParts {
				t.Fatalf("%d parts", len(parts))
			}
			if !slices.Equal(texts(parts), texts(unpack.Record(data))) {
				t.Fatal("other parts when it comes again")
			}
		}
		if !bytes.Equal(in, before) {
			t.Fatal("the caller's bytes were changed")
		}
	})
}
