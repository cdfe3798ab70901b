package shops

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"recsys/shared/shop/sampleshop"
)

// All orders lie between these times: in the past on every machine.
var opened, closed = date(2022, 1, 3), date(2024, 12, 20)

func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// maker makes a Shop of the purchases of a sample shop.
type maker struct {
	Options
	shop   *Shop
	chance *rand.Rand
	index  map[string]int // of products, by the sample shop's code
}

// New makes a shop. An error says that the sizes do not go together, see sampleshop.Options.
func New(o Options) (*Shop, error) {
	m := maker{Options: o, shop: &Shop{}, chance: rand.New(rand.NewPCG(o.Seed, 14)), index: map[string]int{}}
	if err := m.products(); err != nil {
		return nil, fmt.Errorf("making up a shop: %w", err)
	}
	if err := m.customers(); err != nil {
		return nil, fmt.Errorf("making up a shop: %w", err)
	}
	m.idle()
	m.staff()
	return m.shop, nil
}

// sample returns the shop that tastes are taken from. Four of five of its customers buy. One line in six repeats an
// earlier one, the others are its ratings.
func (o Options) sample() sampleshop.Options {
	sample := sampleshop.Default()
	sample.Seed, sample.Customers, sample.Products = o.Seed, o.Customers*5/4, o.Products
	sample.Ratings = max(o.Lines*5/6, sample.Customers)
	return sample
}

// read calls take with each record of a CSV that write makes, but for the header.
func read(write func(io.Writer) error, take func(record []string) error) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	defer r.Close()
	records := csv.NewReader(r)
	for header := true; ; header = false {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header {
			continue
		}
		if err := take(record); err != nil {
			return err
		}
	}
}

func (m *maker) products() error {
	write := func(w io.Writer) error { return sampleshop.WriteProducts(w, m.sample()) }
	return read(write, func(record []string) error {
		i := len(m.shop.Products)
		stock, err := strconv.Atoi(record[3])
		if err != nil {
			return err
		}
		price, err := strconv.ParseFloat(record[5], 64)
		if err != nil {
			return err
		}
		m.index[record[0]] = i
		p := Product{
			Name: nameOf(i, record[1], record[2]), SKU: record[0], Category: record[1], Price: cents(math.Round(price * 100)), Stock: stock,
			Backorders: i%23 == 7, Hidden: i%29 == 3, Deleted: i%37 == 5,
		}
		if i%11 == 2 {
			p.Stock = 0
		}
		if i%5 == 0 {
			p.Variants = 2 + i%3
		}
		m.shop.Products = append(m.shop.Products, p)
		return nil
	})
}

// customers makes the customers that buy, and their orders.
func (m *maker) customers() error {
	var number string
	var wanted []int // the products of the customer so far
	write := func(w io.Writer) error { return sampleshop.WriteTraining(w, m.sample()) }
	err := read(write, func(record []string) error {
		if record[0] != number {
			m.orders(wanted)
			wanted, number = wanted[:0], record[0]
			m.add(Customer{City: record[1], Country: countryOf(record[4]), Guest: len(m.shop.Customers)%12 == 11})
		}
		wanted = append(wanted, m.index[record[6]])
		return nil
	})
	m.orders(wanted)
	return err
}

func (m *maker) add(c Customer) {
	i := len(m.shop.Customers)
	c.FirstName, c.LastName = firstNames[m.chance.IntN(len(firstNames))], lastNames[m.chance.IntN(len(lastNames))]
	c.Email = fmt.Sprintf("customer%d@example.com", i)
	c.Registered = opened.Add(time.Duration(m.chance.Int64N(int64(closed.Sub(opened)) / 2))).Truncate(time.Second)
	m.shop.Customers = append(m.shop.Customers, c)
}

// idle adds customers who have an account and no orders.
func (m *maker) idle() {
	for range m.Customers / 25 {
		like := m.shop.Customers[m.chance.IntN(len(m.shop.Customers))]
		m.add(Customer{City: like.City, Country: like.Country})
	}
}

// staff adds the account that test orders are made with: one for a hundred orders, of any products.
func (m *maker) staff() {
	m.add(Customer{City: "Lyon", Country: countryOf("France"), Staff: true})
	for _, at := range m.times(len(m.shop.Orders)/100 + 1) {
		product := m.chance.IntN(len(m.shop.Products))
		m.order(at, []Line{m.line(product, 1)})
	}
}

// orders makes the orders of the last customer from the products wanted. Some products are bought again.
func (m *maker) orders(wanted []int) {
	if len(wanted) == 0 {
		return
	}
	m.chance.Shuffle(len(wanted), func(i, j int) { wanted[i], wanted[j] = wanted[j], wanted[i] })
	var baskets [][]Line
	for bought := 0; bought < len(wanted); {
		size := min(1+m.chance.IntN(4), len(wanted)-bought)
		var lines []Line
		for _, product := range wanted[bought : bought+size] {
			lines = append(lines, m.line(product, 1+m.chance.IntN(3)/2))
		}
		if bought > 0 && m.chance.IntN(2) == 0 {
			lines = append(lines, m.line(wanted[m.chance.IntN(bought)], 1))
		}
		baskets = append(baskets, m.twoVariants(lines))
		bought += size
	}
	for i, at := range m.times(len(baskets)) {
		m.order(at, baskets[i])
	}
}

func (m *maker) line(product, quantity int) Line {
	l := Line{Product: product, Quantity: quantity}
	if variants := m.shop.Products[product].Variants; variants > 0 {
		l.Variant = 1 + m.chance.IntN(variants)
	}
	return l
}

// twoVariants adds a second variant of the first product, sometimes.
func (m *maker) twoVariants(lines []Line) []Line {
	first := lines[0]
	if first.Variant == 0 || m.chance.IntN(4) > 0 {
		return lines
	}
	first.Variant = first.Variant%m.shop.Products[first.Product].Variants + 1
	return append(lines, first)
}

// times draws times of orders of the last customer, from their registration on, in ascending order.
func (m *maker) times(n int) []time.Time {
	from := m.shop.Customers[len(m.shop.Customers)-1].Registered
	times := make([]time.Time, n)
	for i := range times {
		times[i] = from.Add(time.Duration(m.chance.Int64N(int64(closed.Sub(from))))).Truncate(time.Second)
	}
	slices.SortFunc(times, time.Time.Compare)
	for i := 1; i < n; i++ {
		if !times[i].After(times[i-1]) {
			times[i] = times[i-1].Add(time.Second)
		}
	}
	return times
}

// order adds an order of the last customer, and decides its fate.
func (m *maker) order(at time.Time, lines []Line) {
	o := Order{Customer: len(m.shop.Customers) - 1, At: at, Lines: lines, Currency: BaseCurrency}
	switch fate := m.chance.IntN(100); {
	case fate < 3:
		o.Status = Refunded
	case fate < 7:
		o.Status = Cancelled
	case fate < 9:
		o.Status = Pending
	case fate < 10:
		o.Status = Failed
	case fate < 16:
		o.Status = Paid
	case fate < 20:
		returned := &o.Lines[m.chance.IntN(len(lines))]
		returned.Returned = 1 + m.chance.IntN(returned.Quantity)
	}
	switch m.chance.IntN(8) {
	case 0:
		o.Currency = "USD"
	case 1:
		o.Currency = "GBP"
	}
	m.shop.Orders = append(m.shop.Orders, o)
}

// nameOf is a product's name in the shop. It has the number, so that no two are alike.
func nameOf(i int, category, scale string) string {
	return fmt.Sprintf("%s %s %d, %s", adjectives[i%len(adjectives)], strings.TrimSuffix(category, "s"), i+1, strings.TrimSpace(scale))
}
