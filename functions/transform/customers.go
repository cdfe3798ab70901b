package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/productcode"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// customer is a cleaned customer, or why the interactions of the customer cannot be used.
type customer struct {
	id     string // its own spelling
	values []parquet.Value
	reason training.Reason
}

// customers finds the customer of an interaction. The answer is valid until the next call.
type customers interface {
	find(of *training.Interaction) (*customer, training.Reason, error)
	Close() error
}

// openCustomers opens a range's raw customers. Whole numbers come in order, so one pass and one customer in memory are
// enough. Only MySQL knows the order of its texts, so those are in a map.
func openCustomers(ctx context.Context, store *objectstore.Store, shop shape.Shop, key string) (customers, error) {
	if !shop.HasCustomers() {
		return &everyone{}, nil
	}
	table, err := training.OpenRaw(ctx, store, shop, training.CustomerTable, key)
	if err != nil {
		return nil, err
	}
	if shop.Customer.Type.Whole() {
		return &merge{shop: shop, stream: table, close: table.Close}, nil
	}
	defer table.Close()
	return readByID(shop, table)
}

// everyone is the customers of a shop that does not list them. A database that ignores case gives the spellings of one
// customer mixed, and next to each other. The first spelling is the one to write.
type everyone struct {
	one  customer
	fold string
}

func (e *everyone) find(of *training.Interaction) (*customer, training.Reason, error) {
	if of.Customer != e.one.id {
		if fold := productcode.Fold(of.Customer); fold != e.fold {
			e.one.id, e.fold = of.Customer, fold
		}
	}
	return &e.one, "", nil
}

func (*everyone) Close() error { return nil }

// stream is a stream of raw customers: training.RawTable.
type stream interface {
	Next() (training.Raw, error)
}

// merge is a merge join: customers come by ascending number, NULLs first, as interactions do.
type merge struct {
	shop   shape.Shop
	stream stream
	close  func() error

	asked   bool
	last    int64        // the number that was asked for last
	next    training.Raw // was read, and is not current yet. nil before the first one and after the last one
	ended   bool
	number  int64    // of the current customer
	current customer // its id is "" before the first one
}

func (m *merge) Close() error { return m.close() }

func (m *merge) find(of *training.Interaction) (*customer, training.Reason, error) {
	if m.asked && of.Number < m.last {
		return nil, "", fmt.Errorf("the range's interactions are not in the order of customers: %d after %d", of.Number, m.last)
	}
	m.asked, m.last = true, of.Number
	for m.current.id == "" || m.number < of.Number {
		more, err := m.advance()
		if err != nil {
			return nil, "", err
		}
		if !more {
			return nil, training.UnknownCustomer, nil
		}
	}
	if m.number != of.Number {
		return nil, training.UnknownCustomer, nil
	}
	return &m.current, "", nil
}

// advance makes the next customer the current one, with all rows that have its number.
func (m *merge) advance() (more bool, err error) {
	number, raw, err := m.peek()
	if err != nil || raw == nil {
		return false, err
	}
	m.next = nil
	m.number = number
	m.current.id = strconv.FormatInt(number, 10)
	m.current.values, m.current.reason = training.CleanCustomer(m.shop, raw)
	for {
		number, again, err := m.peek()
		if err != nil || again == nil || number != m.number {
			return true, err
		}
		m.next = nil
		if !slices.Equal(again[1:], raw[1:]) {
			m.current.reason = training.DuplicateCustomer
		}
	}
}

// peek returns the next customer that an interaction can mean, and nil after the last one.
func (m *merge) peek() (number int64, raw training.Raw, err error) {
	for !m.ended {
		if m.next == nil {
			if m.next, err = m.stream.Next(); errors.Is(err, io.EOF) {
				m.ended = true
				return 0, nil, nil
			}
			if err != nil {
				return 0, nil, err
			}
		}
		if number, err := training.WholeID(m.shop.Customer.Type, m.next.Key()); err == nil {
			return number, m.next, nil
		}
		m.next = nil // NULL or beyond the type: no interaction can mean this customer
	}
	return 0, nil, nil
}

// byID holds the customers of a range by their ids.
type byID struct {
	customers map[string]*customer
	codes     *training.Codes
}

func readByID(shop shape.Shop, from stream) (byID, error) {
	found := byID{map[string]*customer{}, training.NewCodes(0)}
	rows := map[string]training.Raw{}
	for {
		raw, err := from.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return found, err
		}
		id := training.Trimmed(raw.Key())
		if before, repeated := rows[id]; repeated {
			if !slices.Equal(before[1:], raw[1:]) {
				found.customers[id].reason = training.DuplicateCustomer
			}
			continue
		}
		rows[id] = raw
		one := &customer{id: id}
		one.values, one.reason = training.CleanCustomer(shop, raw)
		found.customers[id] = one
		found.codes.Add(id)
	}
}

func (b byID) find(of *training.Interaction) (*customer, training.Reason, error) {
	if exact, known := b.customers[of.Customer]; known {
		return exact, "", nil
	}
	switch id, reason := b.codes.Find(of.Customer); reason {
	case "":
		return b.customers[id], "", nil
	case training.AmbiguousProduct:
		return nil, training.AmbiguousCustomer, nil
	default:
		return nil, training.UnknownCustomer, nil
	}
}

func (byID) Close() error { return nil }
