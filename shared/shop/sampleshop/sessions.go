package sampleshop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"recsys/shared/stream/activity"
)

// The warts come by the session's number, so that any 20 sessions in a row show them all.
const sessionWarts = 20

// WriteSessions writes n sessions, one JSON object a line. The products are those that appeal to the customer. Of
// every 20 sessions three belong to customers that the shop does not know, one of them from a city without customers.
// One has no history, one repeats a product, one names a product that does not exist, and one has its city in
// capitals with a blank. In every third the quantities are strings. Errors are those of Validate and of w.
func WriteSessions(w io.Writer, o Options, n int) error {
	s, err := newShop(o)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(w)
	lines := json.NewEncoder(buffered)
	b := s.baskets()
	for i := range n {
		if err := lines.Encode(s.session(b, i)); err != nil {
			return fmt.Errorf("writing session %d: %w", i, err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing sessions: %w", err)
	}
	return nil
}

func (s *shop) session(b *baskets, index int) activity.Session {
	c := b.chance.of(kindSession, index)
	id := sessionID(c)
	wart, views := index%sessionWarts, c.between(1, 5)
	known := wart != 3 && wart != 8 && wart != 13
	who := c.below(s.Customers)
	if !known {
		who += s.Customers // made like the others, and in no table
	}
	u := s.customer(c, who)
	c.of(kindView, index)
	out := activity.Session{SessionID: id, CustomerNumber: int64(u.number), City: strings.TrimSpace(u.city),
		Country: strings.TrimSpace(u.country), CreditLimit: float64(u.credit / 100), BrowseHistory: []activity.Browse{}}
	if u.credit == noCredit {
		out.CreditLimit = float64(c.between(15_000, 150_000))
	}
	if wart != 5 {
		out.BrowseHistory = s.browse(b, u, views, index%3 == 0)
	}
	switch wart {
	case 8:
		strange := pick(c, strangeCities)
		out.City, out.Country = strange.city, strange.country
	case 11:
		out.BrowseHistory = append(out.BrowseHistory, out.BrowseHistory[0])
	case 16:
		out.BrowseHistory[0].ProductCode = "X99_9999"
	case 18:
		out.City = strings.ToUpper(out.City) + " "
	}
	return out
}

// browse takes the products that appeal most out of a handful that the customer comes across.
func (s *shop) browse(b *baskets, u customer, views int, quantityAsString bool) []activity.Browse {
	c := b.chance
	var history []activity.Browse
	for range views {
		best, most := 0, -2.0
		for range 6 {
			product := c.below(s.Products)
			appeal := float64(s.TasteStrength * u.taste.affinity(s.products[product].taste))
			if appeal > most {
				best, most = product, appeal
			}
		}
		view := activity.Browse{ProductCode: s.products[best].code, Quantity: c.between(1, 9), InShoppingCart: c.oneIn(2)}
		if quantityAsString {
			view.Quantity = strconv.Itoa(view.Quantity.(int))
		}
		history = append(history, view)
	}
	return history
}

// sessionID is a random UUID, version 4.
func sessionID(c *chance) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(c.below(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// Example returns the activity of one visitor, on one line: of a customer whom the shop knows, with a product in the cart. It has
// no wart, and no quote that a shell would mind.
func Example(o Options) (string, error) {
	s, err := newShop(o)
	if err != nil {
		return "", err
	}
	b := s.baskets()
	for i := 0; ; i++ {
		if i%sessionWarts >= 3 { // the first warts of every 20
			continue
		}
		session := s.session(b, i)
		line, err := json.Marshal(session)
		if err != nil {
			return "", fmt.Errorf("writing session %d: %w", i, err)
		}
		carted := slices.ContainsFunc(session.BrowseHistory, func(b activity.Browse) bool { return b.InShoppingCart })
		if carted && !strings.ContainsAny(string(line), `'\`) {
			return string(line), nil
		}
	}
}
