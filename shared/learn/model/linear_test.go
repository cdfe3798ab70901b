package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/coldstart"
)

var (
	linearUsers = []Record{
		userOf("Nantes", "France", 21000), userOf(" nantes ", "FRANCE", 118200), userOf("Lyon", "France", math.NaN()), userOf("Oslo", "Norway  ", 96800), userOf("", "", 0),
	}
	linearItems = []Record{
		itemOf("Classic Cars", "1:24", 72.82, 117.44), itemOf("classic cars ", "1:18", 102, 163), itemOf("Trains", "1:18", math.NaN(), 62.14), itemOf("", "", 0, math.Inf(1)),
	}
)

func userOf(city, country string, limit float64) Record {
	return Record{[]string{city, country}, []float64{limit}}
}

func itemOf(line, scale string, buyPrice, msrp float64) Record {
	return Record{[]string{line, scale}, []float64{buyPrice, msrp}}
}

// usersOf and itemsOf are tables of the lab's shop.
func usersOf(records ...Record) *Table { return tableOf(shape.Lab.CustomerColumns, records) }
func itemsOf(records ...Record) *Table { return tableOf(shape.Lab.ProductColumns, records) }

func tableOf(columns []shape.Column, records []Record) *Table {
	t := NewTable(ColumnsOf(columns))
	for _, r := range records {
		t.Add(r)
	}
	return t
}

// linearFile is a small model of dimension 3, its maps drawn.
func linearFile(t testing.TB) ([]byte, *Encoders, coldstart.Map, coldstart.Map) {
	t.Helper()
	e := FitEncoders(usersOf(linearUsers...), itemsOf(linearItems...))
	r := rand.New(rand.NewPCG(1, 1))
	drawn := func(width int) coldstart.Map {
		m := coldstart.Map{Dimension: 3, Weights: make([]float32, 3*(1+width))}
		for i := range m.Weights {
			m.Weights[i] = float32(r.NormFloat64())
		}
		return m
	}
	userMap, itemMap := drawn(e.Users(usersOf()).Width), drawn(e.Items(itemsOf()).Width)
	file, err := WriteLinear(e, userMap, itemMap)
	if err != nil {
		t.Fatal(err)
	}
	return file, e, userMap, itemMap
}

func TestEncodersScaleAndTellCategoriesApart(t *testing.T) {
	e := FitEncoders(usersOf(linearUsers...), itemsOf(linearItems...))
	f := e.Users(usersOf(userOf(" NANTES", "norway", 21000), userOf("Paris", "", math.NaN()), userOf("lyon", "france", 1e12)))
	if f.Width != 1+3+2 {
		t.Fatalf("%d columns, want the credit limit, lyon, nantes, oslo, france and norway", f.Width)
	}
	columns, values := f.Row(0)
	limits := []float64{21000, 118200, 96800, 0}
	mean, squares := 59000.0, 0.0
	for _, x := range limits {
		squares += (x - mean) * (x - mean) / 4
	}
	scaled := float32((21000 - mean) / math.Sqrt(squares))
	if !slices.Equal(columns, []int32{0, 2, 5}) || !slices.Equal(values, []float32{scaled, 1, 1}) {
		t.Errorf("columns %v, values %v, want 0, nantes, norway and %g", columns, values, scaled)
	}
	if columns, _ := f.Row(1); len(columns) != 0 {
		t.Errorf("columns %v of what nobody knows", columns)
	}
	if _, values := f.Row(2); values[0] != most {
		t.Errorf("a credit limit beyond all others is %g", values[0])
	}
	columns, values = e.Items(itemsOf(itemOf("TRAINS", "1:72", -2, 62.14))).Row(0)
	if !slices.Equal(columns, []int32{1, 3}) || values[1] != 1 {
		t.Errorf("columns %v, values %v, want MSRP and trains", columns, values)
	}
}

func TestMostSeenCategoriesAreKept(t *testing.T) {
	var users []Record
	for i := range maxCategories + 50 {
		users = append(users, userOf(fmt.Sprintf("city %04d", i), "", 0))
	}
	e := FitEncoders(usersOf(append(users, users[20:]...)...), itemsOf())
	cities := e.user.Categories[0].Values
	if len(cities) != maxCategories || cities[0] != "city 0020" {
		t.Errorf("%d cities from %q", len(cities), cities[0])
	}
}

func TestLinearModelAppliesTheMaps(t *testing.T) {
	file, e, userMap, itemMap := linearFile(t)
	m, err := Read(Files{Linear: file})
	if err != nil {
		t.Fatal(err)
	}
	if !m.ForUnseen() || m.Dimension() != 3 {
		t.Errorf("for the unseen %t, dimension %d", m.ForUnseen(), m.Dimension())
	}
	users := append(slices.Clone(linearUsers), userOf("x", "y", math.Inf(1)), userOf("ÅLESUND", "norway", -5))
	got, want := make([]float32, 3*len(users)), make([]float32, 3*len(users))
	if undirected, err := m.Embed(got, users); err != nil || undirected != nil {
		t.Errorf("undirected %v, error %v", undirected, err)
	}
	features := e.Users(usersOf(users...))
	for i := range users {
		columns, values := features.Row(i)
		userMap.Apply(want[3*i:3*i+3], columns, values)
	}
	if !slices.Equal(got, want) {
		t.Errorf("users %v, want %v", got, want)
	}
	one, err := m.UserEmbedding(users[3])
	if err != nil || !slices.Equal(one, want[9:12]) {
		t.Errorf("one user %v, error %v", one, err)
	}
	got, want = make([]float32, 3*len(linearItems)), make([]float32, 3*len(linearItems))
	if undirected, err := m.EmbedItems(got, linearItems); err != nil || undirected != nil {
		t.Errorf("undirected %v, error %v", undirected, err)
	}
	features = e.Items(itemsOf(linearItems...))
	for i := range linearItems {
		columns, values := features.Row(i)
		itemMap.Apply(want[3*i:3*i+3], columns, values)
	}
	if !slices.Equal(got, want) {
		t.Errorf("items %v, want %v", got, want)
	}
}

func TestLinearModelOfNothingPointsNowhere(t *testing.T) {
	e := FitEncoders(usersOf(), itemsOf())
	nothing := coldstart.Map{Dimension: 2, Weights: make([]float32, 2*(1+1))}
	file, err := WriteLinear(e, nothing, coldstart.Map{Dimension: 2, Weights: make([]float32, 2*(1+2))})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(Files{Linear: file})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.UserEmbedding(userOf("a", "b", 3)); !errors.Is(err, ErrNoDirection) {
		t.Errorf("error %v", err)
	}
	if undirected, err := m.EmbedItems(make([]float32, 4), []Record{itemOf("", "", 0, 0), itemOf("", "", 0, 0)}); err != nil || !slices.Equal(undirected, []int{0, 1}) {
		t.Errorf("undirected %v, error %v", undirected, err)
	}
	if _, err := m.EmbedItems(make([]float32, 3), linearItems[:2]); err == nil {
		t.Error("another length: no error")
	}
	if _, err := readGood(t).EmbedItems(nil, nil); err == nil {
		t.Error("towers embed items")
	}
}

func TestLinearFilesAreTheSameBytes(t *testing.T) {
	first, _, _, _ := linearFile(t)
	for range 20 { // of map iterations
		if again, _, _, _ := linearFile(t); !bytes.Equal(first, again) {
			t.Fatal("the same model in other bytes")
		}
	}
}

func TestWriteLinearRefusesMapsThatDoNotFit(t *testing.T) {
	_, e, userMap, itemMap := linearFile(t)
	short := coldstart.Map{Dimension: 3, Weights: userMap.Weights[3:]}
	infinite := coldstart.Map{Dimension: 3, Weights: slices.Clone(itemMap.Weights)}
	infinite.Weights[4] = float32(math.Inf(1))
	wide := coldstart.Map{Dimension: 1, Weights: itemMap.Weights}
	for _, maps := range [][2]coldstart.Map{{short, itemMap}, {userMap, infinite}, {userMap, wide}, {{}, {}}} {
		if _, err := WriteLinear(e, maps[0], maps[1]); err == nil {
			t.Error("no error")
		}
	}
}

func TestDamagedLinearFilesAreInvalid(t *testing.T) {
	file, _, _, _ := linearFile(t)
	for n := range file {
		cut, flipped := file[:n:n], bytes.Clone(file)
		flipped[n] ^= 0x20
		if _, err := Read(Files{Linear: cut}); !errors.As(err, new(*Invalid)) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(file), err)
		}
		_, err := Read(Files{Linear: flipped})
		if ofMagicOrVersion := n < len(linearMagic)+4; ofMagicOrVersion != errors.As(err, new(*Unsupported)) || !ofMagicOrVersion && !errors.As(err, new(*Invalid)) {
			t.Errorf("byte %d flipped: %v", n, err)
		}
	}
	if _, err := Read(Files{Linear: append(bytes.Clone(file), 0)}); !errors.As(err, new(*Invalid)) {
		t.Errorf("one byte more: %v", err)
	}
}

// forged is the file with another header and a checksum that is right.
func forged(file []byte, change func(header string) string) []byte {
	length := binary.LittleEndian.Uint32(file[12:])
	header := change(string(file[16 : 16+length]))
	changed := append(bytes.Clone(file[:12]), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(changed[12:], uint32(len(header)))
	changed = append(append(changed, header...), file[16+length:len(file)-4]...)
	return binary.LittleEndian.AppendUint32(changed, crc32.Checksum(changed, castagnoli))
}

func TestHostileLinearHeadersAreInvalid(t *testing.T) {
	file, _, _, _ := linearFile(t)
	if _, err := Read(Files{Linear: forged(file, func(h string) string { return h })}); err != nil {
		t.Fatal(err)
	}
	for _, test := range [][3]string{ // in the header, old and new, and the error
		{`"dimension":3`, `"dimension":0`, "dimension 0"},
		{`"dimension":3`, `"dimension":9223372036854775807`, "dimension 9223372036854775807"},
		{`"dimension":3`, `"dimension":4`, "do not fit the features"},
		{`"dimension":3`, `"dimension":"3"`, "reading the header"},
		{`"dimension":3`, `"dimension":3,"more":1`, "unknown field"},
		{`"shape":[7,3]`, `"shape":[1000000000000,3]`, "do not fit the features"},
		{`"lyon","nantes"`, `"lyon","nantes","oldenburg"`, "do not fit the features"},
		{`"lyon","nantes"`, `"lyon","lyon"`, "ascending order"},
		{`"lyon","nantes"`, `"nantes","lyon"`, "ascending order"},
		{`"city"`, `"country"`, `two columns of one name`},
		{`"city"`, `""`, `without a name`},
		{`"mean":59000`, `"mean":1e999`, "reading the header"},
		{`"lyon","nantes"`, `"` + strings.Join(manyTexts(maxCategories+1), `","`) + `"`, "at most 1000 are read"},
		{`{"name":"creditLimit"`, `{"name":"creditLimit","mean":1,"scale":1},{"name":"creditLimit"`, "two columns of one name"},
		{`"scale":`, `"scale":-`, "with the mean"},
		{`{`, ``, "reading the header"},
	} {
		changed := forged(file, func(h string) string {
			if !strings.Contains(h, test[0]) {
				t.Fatalf("no %s in the header %s", test[0], h)
			}
			return strings.Replace(h, test[0], test[1], 1)
		})
		if _, err := Read(Files{Linear: changed}); !errors.As(err, new(*Invalid)) || !strings.Contains(err.Error(), test[2]) {
			t.Errorf("%.40s: %v", test[1], err)
		}
	}
	long := bytes.Clone(file)
	binary.LittleEndian.PutUint32(long[12:], math.MaxUint32)
	binary.LittleEndian.PutUint32(long[len(long)-4:], crc32.Checksum(long[:len(long)-4], castagnoli))
	wantRefusal(t, Files{Linear: long}, lake.LinearModelKey, "the header has 4294967295 bytes")
	wantRefusal(t, Files{Linear: make([]byte, MaxLinearBytes+1)}, lake.LinearModelKey, "more than")
	wantRefusal(t, Files{Linear: []byte{}}, lake.LinearModelKey, "empty")
	wantRefusal(t, Files{Linear: fixtures(t)["bare.pth"]}, lake.LinearModelKey, "no linear model of this pipeline")
}

func manyTexts(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%05d", i))
	}
	return texts
}

func TestLinearEmbedAllocatesNothing(t *testing.T) {
	file, _, _, _ := linearFile(t)
	m, err := Read(Files{Linear: file})
	if err != nil {
		t.Fatal(err)
	}
	users, items, dst := slices.Repeat([]Record{userOf(" Nantes ", "FRANCE", 1000)}, 10), slices.Repeat(linearItems[:1], 10), make([]float32, 30)
	if n := testing.AllocsPerRun(100, func() { _, _ = m.Embed(dst, users); _, _ = m.EmbedItems(dst, items) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// FuzzReadLinear takes data for the file (0) or for its header (1), with a checksum that is right.
func FuzzReadLinear(f *testing.F) {
	good, _, _, _ := linearFile(f)
	header := string(good[16 : 16+binary.LittleEndian.Uint32(good[12:])])
	f.Add(false, good)
	f.Add(true, []byte(header))
	f.Fuzz(func(t *testing.T, isHeader bool, data []byte) {
		if isHeader {
			data = forged(good, func(string) string { return string(data) })
		}
		m, err := Read(Files{Linear: data})
		if err != nil {
			if !errors.As(err, new(*Invalid)) && !errors.As(err, new(*Unsupported)) {
				t.Fatalf("error of no known kind: %v", err)
			}
			return
		}
		dst := make([]float32, m.Dimension())
		if _, err := m.Embed(dst, []Record{m.UserColumns().Empty()}); err != nil {
			t.Error(err)
		}
		if _, err := m.EmbedItems(dst, []Record{m.ItemColumns().Empty()}); err != nil {
			t.Error(err)
		}
	})
}

// A shop's own columns are found by their names in the file that was written, prices too.
func TestColumnsAreThoseOfTheShop(t *testing.T) {
	users := NewTable(ColumnsOf([]shape.Column{{Name: "store", Role: shape.Category}, {Name: "notes", Role: shape.Remark}, {Name: "age", Role: shape.Number}}))
	items := NewTable(ColumnsOf([]shape.Column{{Name: "rental_rate", Role: shape.Price}, {Name: "genre", Role: shape.Category}, {Name: "length", Role: shape.Number}}))
	users.Add(Record{[]string{"1"}, []float64{40}})
	items.Add(Record{[]string{"Horror"}, []float64{0.99, 90}})
	items.Add(Record{[]string{"Family"}, []float64{4.99, 180}})
	e := FitEncoders(users, items)
	mapOf := func(f *coldstart.Features) coldstart.Map {
		return coldstart.Map{Dimension: 1, Weights: slices.Repeat([]float32{1}, 1+f.Width)}
	}
	file, err := WriteLinear(e, mapOf(e.Users(users)), mapOf(e.Items(items)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(Files{Linear: file})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.UserColumns(), users.Columns) || !reflect.DeepEqual(m.ItemColumns(), items.Columns) {
		t.Errorf("columns %+v and %+v", m.UserColumns(), m.ItemColumns())
	}
	got := make([]float32, 2)
	if _, err := m.EmbedItems(got, []Record{items.Row(0), items.Row(1)}); err != nil || !slices.Equal(got, []float32{0, 4}) {
		t.Errorf("vectors %v, error %v", got, err)
	}
	record := Columns{Texts: []string{"title", "GENRE"}, Numbers: []string{"length"}}
	of := m.ItemColumns().From(record).Of(Record{[]string{"Alien", "Horror"}, []float64{117}})
	if !slices.Equal(of.Texts, []string{"Horror"}) || !math.IsNaN(of.Numbers[0]) || of.Numbers[1] != 117 {
		t.Errorf("the model's facts are %v", of)
	}
}

// A shop without columns to learn from has a model: the same vector for everybody.
func TestAShopWithoutFeatures(t *testing.T) {
	nothing := NewTable(ColumnsOf(nil))
	nothing.Add(Record{})
	e := FitEncoders(nothing, nothing)
	if f := e.Users(nothing); f.Width != 0 || f.Rows() != 1 {
		t.Errorf("features %+v", f)
	}
	bias := coldstart.Map{Dimension: 2, Weights: []float32{3, 4}}
	file, err := WriteLinear(e, bias, bias)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(Files{Linear: file})
	if err != nil {
		t.Fatal(err)
	}
	if vector, err := m.UserEmbedding(Record{}); err != nil || !slices.Equal(vector, bias.Weights) {
		t.Errorf("vector %v, error %v", vector, err)
	}
}

// Many columns share the room for features, so that the regression stays small.
func TestManyColumnsShareTheFeatures(t *testing.T) {
	var columns []shape.Column
	for i := range 8 {
		columns = append(columns, shape.Column{Name: fmt.Sprint("c", i), Role: shape.Category})
	}
	many := NewTable(ColumnsOf(columns))
	for i := range 1500 {
		many.Add(Record{Texts: slices.Repeat([]string{fmt.Sprint(i)}, len(columns))})
	}
	if width := FitEncoders(many, NewTable(ColumnsOf(nil))).Users(many).Width; width != maxFeatures || maxFeatures > coldstart.MaxWidth {
		t.Errorf("%d features, want %d", width, maxFeatures)
	}
}
