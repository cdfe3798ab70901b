package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/embeddings"
	"recsys/shared/learn/model"
)

// comparison follows the rows of a hand-over while they are loaded, and compares them with the shop. A reason
// to refuse the hand-over goes into the faults, and the load ends with it.
type comparison struct {
	of           shape.Shop      // of the newest snapshot
	shop         *shop           // nil: there is nothing to compare with
	metric       distance.Metric // of the hand-over
	enforceModel bool            // refuse a model that does not give the vectors

	faults  *embeddings.Faults
	check   *modelCheck // nil: no model, or nothing to compare it with
	found   workflow.Compared
	remarks []string
}

// examples is how many ids a message shows of each side.
const examples = 3

// compareWith compares the model, too, if there is one and a shop.
func (c *comparison) compareWith(m *model.Model) {
	if m != nil && c.shop != nil {
		c.check = &modelCheck{model: m, selection: m.UserColumns().From(c.shop.users.Columns), metric: c.metric, enforce: c.enforceModel}
	}
}

// refuse notes why the hand-over cannot be used.
func (c *comparison) refuse(err error) {
	c.faults.Unusable = errors.Join(c.faults.Unusable, err)
}

func (c *comparison) remark(format string, args ...any) {
	c.remarks = append(c.remarks, fmt.Sprintf(format, args...))
}

// result returns the findings, once the load has read all rows.
func (c *comparison) result() any {
	c.found.Note = strings.Join(c.remarks, " ")
	return c.found
}

// items are the rows of lake.ItemEmbeddingsKey, each under the shop's spelling of its id. An id that the shop does not have
// stays as it is.
type items struct {
	*embeddings.Reader
	*comparison
	spelled map[string]string // the ids of the file by the shop's spelling, where that is another one
	id      string
	total   int64
	unknown []string // the first few
}

func (i *items) Next() bool {
	if !i.Reader.Next() {
		i.end()
		return false
	}
	i.id, _ = i.Row()
	if canonical, flaw := i.of.Product.Type.ParseID([]byte(i.id)); flaw == "" { // +007 is 7, if ids are numbers
		i.id = canonical
	}
	i.total++
	if i.shop == nil {
		return true
	}
	spelling, reason := i.shop.items.Find(i.id)
	if reason != "" {
		i.found.UnknownItems++
		i.unknown = appendFew(i.unknown, i.id)
		return true
	}
	if other, taken := i.spelled[spelling]; taken || spelling != i.id && i.Has(spelling) {
		i.refuse(fmt.Errorf("%s names the product %q twice, as %q and %q", lake.ItemEmbeddingsKey, spelling, i.id, cmp.Or(other, spelling)))
		return false
	}
	if spelling != i.id {
		i.spelled[spelling] = i.id
	}
	i.id = spelling
	return true
}

// end judges the file as a whole.
func (i *items) end() {
	switch unknown := i.found.UnknownItems; {
	case i.shop == nil || unknown == 0 || i.faults.Err() != nil:
	case unknown == i.total && len(i.shop.products) > 0:
		theirs := i.shop.products[:min(len(i.shop.products), examples)]
		i.refuse(fmt.Errorf("none of the %d ids of %s is a product of the shop. The file has %s, the shop %s. %s",
			i.total, lake.ItemEmbeddingsKey, quoted(i.unknown), quoted(theirs), spellingAdvice(i.unknown, i.shop)))
	case i.shop.whole:
		i.remark("%d of %d items are no products of the shop and are never recommended, such as %s.", unknown, i.total, quoted(i.unknown))
	default:
		i.remark("%d of %d items are no products of the shop, such as %s.", unknown, i.total, quoted(i.unknown))
	}
}

// spellingAdvice says how to mend ids that the shop does not have.
func spellingAdvice(ids []string, shop *shop) string {
	for _, product := range shop.products {
		if short := strings.TrimLeft(product, "0"); short != product && slices.Contains(ids, short) {
			return "Did the file lose leading zeros, as pandas.read_csv loses them without dtype=str?"
		}
	}
	return "Write the ids as the shop spells its product codes"
}

// users are the rows of lake.UserEmbeddingsKey: a pgx.CopyFromSource.
type users struct {
	*embeddings.Reader
	*comparison
	total         int64
	lowest, upper string // of the ids
}

func (u *users) Next() bool {
	if !u.Reader.Next() {
		u.end()
		return false
	}
	id, vector := u.Row()
	if of := u.of.Customer.Type; u.total == 0 {
		u.lowest, u.upper = id, id
	} else if of.Compare(id, u.lowest) < 0 {
		u.lowest = id
	} else if of.Compare(id, u.upper) > 0 {
		u.upper = id
	}
	u.total++
	if u.shop == nil {
		return true
	}
	features, known := u.shop.customer(id)
	if !known {
		u.found.UnknownUsers++
	} else if u.check != nil {
		u.check.add(id, features, vector)
	}
	return true
}

// end judges the file as a whole, and the model by it.
func (u *users) end() {
	if u.shop == nil || u.faults.Err() != nil {
		return
	}
	switch unknown, customers := u.found.UnknownUsers, u.shop.customers; {
	case len(customers) == 0 || unknown == 0:
	case unknown == u.total:
		u.refuse(fmt.Errorf("none of the %d ids of %s is a customer %s in the newest snapshot. The file has %s to %s, the shop %s to %s. Write each customer's %s, not a position in a table",
			u.total, lake.UserEmbeddingsKey, u.word("who rated something", "with an interaction"), u.lowest, u.upper, customers[0], customers[len(customers)-1], u.of.Customer.Name))
		return
	default:
		u.remark("%d of %d users have %s in the newest snapshot.", unknown, u.total, u.word("rated nothing", "no interaction"))
	}
	if u.check != nil {
		u.check.judge(u.comparison)
	}
}

// word returns the word for the lab's customers, who rate, or the one for those of other shops.
func (c *comparison) word(ofLab, ofOthers string) string {
	if c.of.IsLab() {
		return ofLab
	}
	return ofOthers
}

func appendFew(few []string, text string) []string {
	if len(few) < examples {
		few = append(few, text)
	}
	return few
}

func quoted(texts []string) string {
	var list []string
	for _, text := range texts {
		list = append(list, fmt.Sprintf("%.60q", text))
	}
	return strings.Join(list, ", ")
}
