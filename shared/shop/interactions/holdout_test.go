package interactions

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/snapshottest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/sparse"
)

// lineAt is an interaction. Without a time, days is below 0.
func lineAt(customer, product, kind string, days float64) line {
	l := line{"customer": customer, "product": product, "type": kind}
	if days >= 0 {
		l["at"] = snapshottest.Times(days)
	}
	return l
}

func TestHeldOutByTime(t *testing.T) {
	for _, test := range []struct {
		what           string
		repeatable     bool
		lines          []line
		train, heldOut []string
	}{
		{"the last order as a whole", false, []line{
			lineAt("1", "a", "purchase", 1), lineAt("1", "b", "purchase", 2), lineAt("1", "c", "purchase", 3), lineAt("1", "d", "purchase", 4), lineAt("1", "e", "purchase", 4),
		}, []string{"1:a:100", "1:b:100", "1:c:100"}, []string{"1:d:100", "1:e:100"}},
		{"of two equally good cuts the later one", false, []line{
			lineAt("1", "a", "purchase", 1), lineAt("1", "b", "purchase", 1), lineAt("1", "c", "purchase", 2), lineAt("1", "d", "purchase", 2), lineAt("1", "e", "purchase", 3),
		}, []string{"1:a:100", "1:b:100", "1:c:100", "1:d:100"}, []string{"1:e:100"}},
		{"a single date is trained on", false, []line{lineAt("1", "a", "purchase", 1), lineAt("1", "b", "purchase", 1), lineAt("1", "c", "purchase", -1)},
			[]string{"1:a:100", "1:b:100", "1:c:100"}, nil},
		{"rows without time are trained on", false, []line{lineAt("1", "a", "purchase", -1), lineAt("1", "b", "purchase", 1), lineAt("1", "c", "purchase", 2), lineAt("1", "a", "purchase", 2)},
			[]string{"1:a:100", "1:b:100"}, []string{"1:c:100"}},
		{"a product that is bought again is no target", false, []line{lineAt("1", "a", "purchase", 1), lineAt("1", "a", "purchase", 2), lineAt("1", "b", "purchase", 2)},
			[]string{"1:a:100"}, []string{"1:b:100"}},
		{"unless goods are repeatable", true, []line{lineAt("1", "a", "purchase", 1), lineAt("1", "a", "purchase", 2), lineAt("1", "b", "purchase", 2)},
			[]string{"1:a:100"}, []string{"1:a:100", "1:b:100"}},
		{"a view goes with the purchase", false, []line{lineAt("1", "a", "purchase", 1), lineAt("1", "b", "view", 1), lineAt("1", "c", "view", 1), lineAt("1", "b", "purchase", 2), lineAt("1", "d", "view", 3)},
			[]string{"1:a:100", "1:c:25"}, []string{"1:b:100"}},
		{"also in a shop of repeatable goods", true, []line{lineAt("1", "a", "purchase", 1), lineAt("1", "b", "view", 1), lineAt("1", "b", "purchase", 2)},
			[]string{"1:a:100"}, []string{"1:b:100"}},
	} {
		store, _ := s3test.ForTest(t, "lake")
		shop := shopOf(shape.Int, shape.Text)
		shop.Meaning.Repeatable = test.repeatable
		manifest := snapshottest.Publish(t, store, "run", shop, nil, test.lines)
		got := read(t, store, manifest, Wanted{HoldOuts: []lake.HoldOut{lake.HoldOut{Fraction: 0.4}.In(manifest)}})
		train, heldOut := got.pairs(got.Parts[0].Train), got.pairs(got.Parts[0].HeldOut)
		if !slices.Equal(train, test.train) || !slices.Equal(heldOut, test.heldOut) {
			t.Errorf("%s: trained on %q, held out %q", test.what, train, heldOut)
		}
	}
}

// An item is as old as its first interaction, in whole days before the newest one of the snapshot.
func TestAgesOfItems(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop := shopOf(shape.Int, shape.Text)
	manifest := snapshottest.Publish(t, store, "run", shop, []line{{"product": "e"}}, []line{
		lineAt("1", "d", "purchase", 3), lineAt("1", "a", "view", 40), lineAt("1", "b", "purchase", -1),
		lineAt("2", "a", "view", 2.5), lineAt("2", "c", "purchase", 40), lineAt("2", "d", "purchase", 9),
	})
	got := read(t, store, manifest, Wanted{})
	if want := []int32{37, -1, 0, 37, -1}; !slices.Equal(got.Items, []string{"a", "b", "c", "d", "e"}) || !slices.Equal(got.Ages, want) {
		t.Errorf("the items %v are %v days old, want %v", got.Items, got.Ages, want)
	}
	manifest.Newest = nil
	if got := read(t, store, manifest, Wanted{}); got.Ages != nil {
		t.Errorf("without times the items are %v days old", got.Ages)
	}
}

// A shop that has neither purchases nor ratings is judged by the interactions that it has.
func TestAShopOfViewsAloneHoldsOutViews(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	lines := []line{lineAt("1", "a", "view", 1), lineAt("1", "b", "view", 2), lineAt("1", "c", "ignored", 3)}
	manifest := snapshottest.Publish(t, store, "run", shopOf(shape.Int, shape.Text), nil, lines)
	got := read(t, store, manifest, Wanted{HoldOuts: []lake.HoldOut{lake.HoldOut{Fraction: 0.4}.In(manifest)}})
	if heldOut := got.pairs(got.Parts[0].HeldOut); !slices.Equal(heldOut, []string{"1:b:25"}) {
		t.Errorf("held out %q", heldOut)
	}
}

// Purchases and ratings are targets also in a shop that excludes nothing.
func TestAShopThatExcludesNothingHoldsOutPurchases(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop := shopOf(shape.Int, shape.Text)
	shop.Meaning.Exclude = []string{}
	manifest := snapshottest.Publish(t, store, "run", shop, nil, []line{lineAt("1", "a", "purchase", 1), lineAt("1", "b", "purchase", 2), lineAt("1", "c", "view", 3)})
	got := read(t, store, manifest, Wanted{HoldOuts: []lake.HoldOut{lake.HoldOut{Fraction: 0.4}.In(manifest)}})
	if heldOut := got.pairs(got.Parts[0].HeldOut); !slices.Equal(heldOut, []string{"1:b:100"}) {
		t.Errorf("held out %q", heldOut)
	}
}

// Without times a pair is held out with all that it was seen with, and one without a purchase or a rating never is.
func TestHeldOutByHashWithTypes(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	var lines []line
	for product := range 100 {
		id := strconv.Itoa(product)
		lines = append(lines, lineAt("1", id, "view", -1))
		if product%2 == 0 {
			lines = append(lines, lineAt("1", id, "purchase", -1))
		}
	}
	manifest := snapshottest.Publish(t, store, "run", shopOf(shape.Int, shape.Text), nil, lines)
	rule := lake.HoldOut{Seed: 1, Fraction: 0.4}
	if rule.In(manifest) != rule {
		t.Fatalf("the rule is %+v", rule.In(manifest))
	}
	part := read(t, store, manifest, Wanted{HoldOuts: []lake.HoldOut{rule}}).Parts[0]
	if n := len(part.HeldOut.Columns); n < 10 || n > 30 || len(part.Train.Columns)+n != 100 {
		t.Errorf("%d pairs are held out, %d are not", n, len(part.Train.Columns))
	}
	for k, confidence := range part.HeldOut.Ratings {
		if confidence != 125 {
			t.Errorf("pair %d is held out in part: %d", k, confidence)
		}
	}
}

// randomLines are the interactions of some customers, in the order of ranges. Some have no time.
func randomLines(seed uint64, customers int) (lines []line) {
	chance := rand.New(rand.NewPCG(seed, 1))
	kinds := []string{"purchase", "purchase", "view", "rating", "ignored"}
	for c := range customers {
		var own []line
		for range chance.IntN(12) {
			l := lineAt(strconv.Itoa(1+c), strconv.Itoa(chance.IntN(15)), kinds[chance.IntN(len(kinds))], float64(chance.IntN(8)-1))
			if l["type"] == "rating" {
				l["rating"] = strconv.Itoa(1 + chance.IntN(5))
			}
			own = append(own, l)
		}
		slices.SortStableFunc(own, func(a, b line) int {
			return cmp.Or(cmp.Compare(a["product"], b["product"]), cmp.Compare(a["at"], b["at"]))
		})
		lines = append(lines, own...)
	}
	return lines
}

// A later snapshot gives the hold-out of an earlier one, and a validation parts the training part.
func TestTheHoldOutOfAnEarlierSnapshot(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop := shopOf(shape.Int, shape.Text)
	all := randomLines(3, 200)
	var early []line
	for _, l := range all {
		if l["at"] <= snapshottest.Times(4) { // those without a time, too
			early = append(early, l)
		}
	}
	rule := lake.HoldOut{Fraction: 0.3}
	before, after := snapshottest.Publish(t, store, "monday", shop, nil, early), snapshottest.Publish(t, store, "friday", shop, nil, all)
	monday := read(t, store, before, Wanted{HoldOuts: []lake.HoldOut{rule.In(before)}})
	friday := read(t, store, after, Wanted{Ratings: true, HoldOuts: []lake.HoldOut{rule.In(after), rule.In(before)}, Validations: []float64{0.3, 0.5}})
	for _, of := range [][2][]string{
		{monday.pairs(monday.Parts[0].Train), friday.pairs(friday.Parts[1].Train)}, {monday.pairs(monday.Parts[0].HeldOut), friday.pairs(friday.Parts[1].HeldOut)},
	} {
		if !slices.Equal(of[0], of[1]) || len(of[0]) == 0 {
			t.Errorf("on monday %q, by friday's snapshot %q", of[0], of[1])
		}
	}
	if len(friday.Parts) != 4 {
		t.Fatalf("%d parts", len(friday.Parts))
	}
	for i, p := range friday.Parts {
		if overlap(p.Train, p.HeldOut) || len(p.HeldOut.Columns) == 0 {
			t.Errorf("part %d: %d pairs held out, some of them trained on", i, len(p.HeldOut.Columns))
		}
		if within := friday.Parts[0].Train; i >= 2 && (len(p.Train.Columns) >= len(within.Columns) || !covers(within, p.Train) || !covers(within, p.HeldOut)) {
			t.Errorf("the validation %d is no part of the training part", i)
		}
	}
	if again := read(t, store, after, Wanted{HoldOuts: []lake.HoldOut{rule.In(after)}}); !reflect.DeepEqual(again.Parts[0], friday.Parts[0]) {
		t.Error("another read parts otherwise")
	}
}

func overlap(a, b *sparse.Matrix) bool {
	both, _ := a.Split(func(row, column int) bool { return !has(b, row, column) })
	return len(both.Columns) > 0
}

// covers reports whether all pairs of b are in a.
func covers(a, b *sparse.Matrix) bool {
	_, missing := b.Split(func(row, column int) bool { return !has(a, row, column) })
	return len(missing.Columns) == 0
}

func has(m *sparse.Matrix, row, column int) bool {
	columns, _ := m.Row(row)
	return slices.Contains(columns, int32(column))
}
