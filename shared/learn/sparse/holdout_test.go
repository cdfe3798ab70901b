package sparse

import (
	"fmt"
	"math"
	"strconv"
	"testing"
)

func TestHeldOut(t *testing.T) {
	for name, id := range map[string]func(customer int) string{
		"int": strconv.Itoa, "bigint": func(c int) string { return strconv.Itoa(1<<33 + c) }, "text": func(c int) string { return fmt.Sprintf("c-%d", c) },
	} {
		t.Run(name, func(t *testing.T) { testHeldOut(t, id) })
	}
}

func testHeldOut(t *testing.T, id func(customer int) string) {
	const customers, items = 300, 200
	held := func(seed uint64, fraction float64, customer, item int) bool {
		return HeldOut(seed, fraction, id(customer), fmt.Sprintf("S%d_%d", item%70, item))
	}
	both, total := 0, 0
	perCustomer, perItem := make([]int, customers), make([]int, items)
	for c := range customers {
		for i := range items {
			if !held(1, 0.2, c, i) {
				continue
			}
			total++
			perCustomer[c]++
			perItem[i]++
			if !held(1, 0.3, c, i) {
				t.Fatalf("customer %d, item %d: held out of 20 %%, not of 30 %%", c, i)
			}
			if held(2, 0.2, c, i) {
				both++
			}
		}
	}
	// Binomial, within five standard deviations.
	near := func(what string, got, n int, p float64) {
		t.Helper()
		if mean := float64(n) * p; math.Abs(float64(got)-mean) > 5*math.Sqrt(mean*(1-p)) {
			t.Errorf("%s: %d of %d held out, want about %.0f", what, got, n, mean)
		}
	}
	near("all", total, customers*items, 0.2)
	near("with another seed, too", both, total, 0.2)
	for c, n := range perCustomer {
		near(fmt.Sprint("customer ", c), n, items, 0.2)
	}
	for i, n := range perItem {
		near(fmt.Sprint("item ", i), n, customers, 0.2)
	}
}

// A rating that was held out once must stay so in later releases. These are the answers of the first.
func TestHeldOutStays(t *testing.T) {
	got := ""
	for customer := int32(100); customer < 140; customer++ {
		if HeldOut(1, 0.25, strconv.Itoa(int(customer)), "S10_1678") {
			got += fmt.Sprint(customer, " ")
		}
	}
	if want := "100 114 117 118 119 123 124 129 131 137 "; got != want {
		t.Errorf("held out of customers 100 to 139: %s, want %s", got, want)
	}
	for _, customer := range []string{"0", "-1", "1073741824", "4294967296", "a"} {
		if HeldOut(1, 0, customer, "") || !HeldOut(1, 1, customer, "") {
			t.Errorf("customer %s: fraction 0 holds out nothing, 1 everything", customer)
		}
	}
}
