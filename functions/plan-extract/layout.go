package main

import (
	"strconv"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
)

// sparsity is how many numbers a customer may take up where each has a folder. Athena looks into the folder of every number
// between the first and the last.
const sparsity = 100

// numbers is the span of the customers' numbers. It is not known if one key is no number.
type numbers struct {
	first, last int64
	some        bool
	unknown     bool
}

// add takes the key of a customer. nil is none.
func (n *numbers) add(key *string) {
	if key == nil {
		return
	}
	number, err := strconv.ParseInt(*key, 10, 64)
	switch {
	case err != nil:
		n.unknown = true
	case !n.some:
		n.first, n.last, n.some = number, number, true
	default:
		n.first, n.last = min(n.first, number), max(n.last, number)
	}
}

// dense reports whether so many customers fill the span well enough for a folder each.
func (n numbers) dense(customers int64) bool {
	if n.unknown {
		return false
	}
	return !n.some || uint64(n.last-n.first)/sparsity <= uint64(customers)
}

// layoutOf returns the layout of a run's snapshot. The option goes before the shop file. The lab's shop keeps the layout of
// its snapshot before, so that readers find the same folders each night.
func layoutOf(option settings.Layout, shop shape.Shop, customers int64, span numbers, source string, before lake.Latest) (shape.Layout, error) {
	layout := shop.Layout
	switch {
	case option.Partitions != "auto" && option.Partitions != "":
		layout = shape.Layout(option.Partitions)
	case !shop.IsLab():
	case before.Snapshot != "" && before.Source == source && before.Shop == "":
		if layout = before.Layout; layout == "" {
			layout = shape.ByCustomer
		}
	case customers > option.CustomerFolders || !span.dense(customers):
		layout = shape.ByRange
	}
	if layout == shape.ByCustomer && shop.Customer.Type != shape.Int {
		return "", failure.SchemaMismatch.Errorf("the customers' ids are %s: folders of customers want int. Set partitions to range in the shop file, or the option", shop.Customer.Type)
	}
	return layout, nil
}
