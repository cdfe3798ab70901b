package main

import (
	"math/rand/v2"
	"testing"

	"recsys/shared/contract/workflow"
)

func planned(target int64, limit int, customers ...span) []workflow.Range {
	cuts := cutter{target: target}
	for _, c := range customers {
		cuts.add(c.last, c.rows)
	}
	return ranges(cuts.atMost(limit))
}

func TestNoRatingsIsOneRangeOfEverybody(t *testing.T) {
	got := planned(100, 400)
	if len(got) != 1 || got[0] != (workflow.Range{}) {
		t.Errorf("got %+v", got)
	}
}

func TestAGiantCustomerIsOneRange(t *testing.T) {
	got := planned(100, 400, span{1, 60}, span{2, 50}, span{3, 1_000_000}, span{9, 1})
	if len(got) != 3 || *got[0].Last != 2 || *got[1].First != 3 || *got[1].Last != 3 || *got[2].First != 4 {
		t.Errorf("got %d ranges", len(got))
	}
}

// For any counts the ranges cover every number once, none is far over the target, and there are never more than the
// limit.
func TestRangesCoverEveryNumberOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var customers []span
		number, largest, total := int64(-50), int64(0), int64(0)
		for range random.IntN(2000) {
			number += 1 + random.Int64N(9)
			rows := 1 + random.Int64N(40)
			customers = append(customers, span{number, rows})
			largest, total = max(largest, rows), total+rows
		}
		target, limit := 1+random.Int64N(200), 1+random.IntN(400)
		got := planned(target, limit, customers...)
		if len(got) > limit {
			t.Fatalf("%d ranges, limit %d", len(got), limit)
		}
		if got[0].First != nil || got[len(got)-1].Last != nil {
			t.Fatal("the ends are not open")
		}
		for i := 1; i < len(got); i++ {
			if got[i].Index != i || *got[i].First != *got[i-1].Last+1 {
				t.Fatalf("range %d does not follow the one before", i)
			}
		}
		aim := max(target, (total+int64(limit)-1)/int64(limit))
		at := 0
		for _, r := range got {
			var rows int64
			for at < len(customers) && (r.Last == nil || customers[at].last <= *r.Last) {
				rows += customers[at].rows
				at++
			}
			if rows > 2*aim+largest {
				t.Fatalf("a range of %d rows, aim %d", rows, aim)
			}
		}
	}
}
