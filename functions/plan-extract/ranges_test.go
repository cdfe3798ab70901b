package main

import (
	"math/rand/v2"
	"strconv"
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

func customer(number, rows int64) span {
	key := strconv.FormatInt(number, 10)
	return span{&key, rows}
}

func numberOf(key *string) int64 {
	number, err := strconv.ParseInt(*key, 10, 64)
	if err != nil {
		panic(err)
	}
	return number
}

// Interactions without a customer make the first range longer, and no range of their own.
func TestGuestsBelongToTheFirstRange(t *testing.T) {
	got := planned(100, 400, span{nil, 500}, customer(1, 1), customer(2, 100), customer(3, 1))
	if len(got) != 3 || *got[0].UpTo != "1" || *got[1].UpTo != "2" {
		t.Errorf("got %+v", got)
	}
}

func TestKeysThatLookTheSameStayTogether(t *testing.T) {
	a, b := "ann", "bob"
	got := planned(10, 400, span{&a, 10}, span{&a, 10}, span{&a, 10}, span{&b, 4}, span{&b, 7}, span{&b, 1})
	if len(got) != 2 || *got[0].UpTo != "ann" || *got[1].After != "ann" {
		t.Errorf("got %+v", got)
	}
}

func TestNoRatingsIsOneRangeOfEverybody(t *testing.T) {
	got := planned(100, 400)
	if len(got) != 1 || got[0] != (workflow.Range{}) {
		t.Errorf("got %+v", got)
	}
}

func TestAGiantCustomerIsOneRange(t *testing.T) {
	got := planned(100, 400, customer(1, 60), customer(2, 50), customer(3, 1_000_000), customer(9, 1))
	if len(got) != 3 || *got[0].UpTo != "2" || *got[1].After != "2" || *got[1].UpTo != "3" || *got[2].After != "3" {
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
			customers = append(customers, customer(number, rows))
			largest, total = max(largest, rows), total+rows
		}
		target, limit := 1+random.Int64N(200), 1+random.IntN(400)
		got := planned(target, limit, customers...)
		if len(got) > limit {
			t.Fatalf("%d ranges, limit %d", len(got), limit)
		}
		if got[0].After != nil || got[len(got)-1].UpTo != nil {
			t.Fatal("the ends are not open")
		}
		for i := 1; i < len(got); i++ {
			if got[i].Index != i || *got[i].After != *got[i-1].UpTo {
				t.Fatalf("range %d does not follow the one before", i)
			}
		}
		aim := max(target, (total+int64(limit)-1)/int64(limit))
		at := 0
		for _, r := range got {
			var rows int64
			for at < len(customers) && (r.UpTo == nil || numberOf(customers[at].last) <= numberOf(r.UpTo)) {
				rows += customers[at].rows
				at++
			}
			if rows > 2*aim+largest {
				t.Fatalf("a range of %d rows, aim %d", rows, aim)
			}
		}
	}
}
