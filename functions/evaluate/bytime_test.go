package main

import (
	"strings"
	"testing"

	"recsys/infra/local/testbed/snapshottest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
)

// orderShop has purchases and views with times.
func orderShop(hash string) *shape.Shop {
	return &shape.Shop{
		Name: "orders", Hash: hash, Layout: shape.ByRange,
		Customer: shape.ID{Name: "customer", Type: shape.Text}, Product: shape.ID{Name: "product", Type: shape.Text},
		InteractionColumns: []shape.Column{
			{Name: "type", Role: shape.Kind, Type: shape.Text}, {Name: "at", Role: shape.Time, Type: shape.Timestamp},
		},
		Source:  shape.Source{Interactions: []shape.Query{{Name: "orders"}}},
		Meaning: shape.Meaning{Exclude: []string{shape.Purchase}},
	}
}

// publishOrders makes a snapshot of an order of two products every ten days, each customer's of their own kind. Each
// product was looked at before: lag(customer) orders ago. It returns the hold-out of a training on it.
func (b *bench) publishOrders(name string, orders int, lag func(customer int) int) lake.HoldOut {
	b.Helper()
	var products, lines []snapshottest.Line
	for item := range items {
		products = append(products, snapshottest.Line{"product": code(item)})
	}
	add := func(customer, item int, kind string, order int) {
		lines = append(lines, snapshottest.Line{"customer": b.customer(customer), "product": code(item), "type": kind, "at": snapshottest.Times(float64(10 * order))})
	}
	for customer := range customers {
		lag := lag(customer)
		for order := range orders + lag {
			for k := range 2 {
				item := func(order int) int { return (customer*7+4*order+2*k)/2*2%items + kind(customer) }
				if order < orders {
					add(customer, item(order), "purchase", order)
				}
				add(customer, item(order), "view", order-lag)
			}
		}
	}
	return b.HeldOut.In(snapshottest.Publish(b, b.Lake, name, *b.shop, products, lines))
}

// soon is the lag of customers who look at a product one order before they buy it.
func soon(int) int { return 1 }

// someEarly is soon, but for each third customer, who looked two orders before.
func someEarly(customer int) int {
	if customer%3 == 0 {
		return 2
	}
	return 1
}

func testByTime(t *testing.T, b *bench) {
	b.shop = orderShop("abc")
	monday := b.publishOrders("monday", 4, someEarly)
	first := b.load(true, monday, 1)
	if out := b.evaluate(first); !out.Promote || out.NDCG10 < 2*out.Popularity10 {
		t.Errorf("the first version: %+v", out)
	}
	report := b.report(first)
	if report.HoldOut.By != lake.ByTime || !report.HoldOut.Until.Equal(monday.Until) || report.Candidate.MayHaveSeen ||
		report.Candidate.Result.Customers != customers || report.Candidate.Result.HeldOut != 2*customers {
		t.Errorf("hold-out %+v, candidate %+v", report.HoldOut, report.Candidate)
	}
	if report.Shop.Customers != customers || report.Shop.Products != items || report.Shop.Interactions["purchase"] != 8*customers {
		t.Errorf("shop %+v", report.Shop)
	}
	b.activate(first)
	friday := b.publishOrders("friday", 5, someEarly)
	out := b.evaluate(b.load(true, friday, 1))
	report = b.report(out.Version)
	if !out.Promote || report.Active == nil || report.Active.MayHaveSeen || report.Active.Result.NDCG10() != report.Candidate.Result.NDCG10() {
		t.Errorf("the second version: %+v", out)
	}
	// The first version saw the views of the products that friday's last order has.
	if len(report.Remarks) != 1 || !strings.HasPrefix(report.Remarks[0], "40 held-out pairs do not count: version 1") {
		t.Errorf("remarks %q", report.Remarks)
	}
}

// If the active version saw all of the hold-out, the candidate is not refused for that.
func testActiveSawAll(t *testing.T, b *bench) {
	b.shop = orderShop("abc")
	early := func(int) int { return 2 }
	first := b.load(true, b.publishOrders("monday", 4, early), 1)
	b.evaluate(first)
	b.activate(first)
	out := b.evaluate(b.load(true, b.publishOrders("friday", 5, early), 1))
	if report := b.report(out.Version); !out.Promote || out.NDCG10 == 0 || report.Active == nil || !report.Active.MayHaveSeen {
		t.Errorf("%+v, active %+v", out, report.Active)
	}
}

func testAnotherShop(t *testing.T, b *bench) {
	b.shop = orderShop("abc")
	first := b.load(true, b.publishOrders("monday", 4, soon), 1)
	b.evaluate(first)
	b.activate(first)
	b.shop = orderShop("changed")
	// A load brings the pairs of the active version up to date, and its row names the new shop file.
	_, err := b.DB.Exec(b.Context(), `update recsys.embedding_version set shop = $1`, b.shop)
	b.Must(err)
	second := b.load(true, b.publishOrders("friday", 4, soon), 1)
	out := b.evaluate(second)
	if report := b.report(second); !out.Promote || report.Active != nil || len(report.Remarks) != 1 || !strings.Contains(report.Remarks[0], "another shop file") {
		t.Errorf("%+v, remarks %q", out, report.Remarks)
	}
}

func testHandOverByTime(t *testing.T, b *bench) {
	b.shop = orderShop("abc")
	monday := b.publishOrders("monday", 4, soon)
	version := b.load(false, lake.HoldOut{}, 1)
	b.evaluate(version)
	if report := b.report(version); report.HoldOut.By != lake.ByTime || !report.HoldOut.Until.Equal(monday.Until) || !report.Candidate.MayHaveSeen {
		t.Errorf("hold-out %+v, candidate %+v", report.HoldOut, report.Candidate)
	}
	b.publishOrders("tuesday", 1, soon)
	version = b.load(false, lake.HoldOut{}, 1)
	b.evaluate(version)
	if report := b.report(version); report.HoldOut.By == lake.ByTime || report.Candidate.Result.Customers == 0 {
		t.Errorf("nobody came twice: hold-out %+v, %d customers", report.HoldOut, report.Candidate.Result.Customers)
	}
}
