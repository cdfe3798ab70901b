package interactions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/model"
	"recsys/shared/learn/sparse"
	"recsys/shared/store/objectstore"
)

// reader is a Snapshot on the way. Columns are in the order of arrival until finish, and so are the customers.
type reader struct {
	*Snapshot
	wanted   Wanted
	meaning  meaning
	columns  map[string]int32  // by the item's id
	texts    map[string]string // one copy of each category
	number   int64             // the last customer, if the ids are whole numbers
	atStart  bool              // of a range: ranges may follow another order
	sorted   bool              // the customers have come in ascending order
	events   []event           // of the last customer
	sums     sums
	splits   []split // by Parts
	first    []int64 // by column: the time of the item's first interaction, timeless if none has a time
	buffer   []byte
	user     model.Record
	rating   *kind
	fromFile fields // of the file that is being read
}

// fields are the columns of a file that are read.
type fields struct {
	customer, product, kind, at, stars, reason column
	texts, numbers                             []column // the facts
}

// event is one interaction.
type event struct {
	column int32
	kind   *kind
	at     int64   // Unix milliseconds, timeless if it is not known
	stars  float64 // hundredths of a star, sparse.Star if it is no rating
}

func newReader(manifest lake.Manifest, wanted Wanted) *reader {
	shop := manifest.Shape()
	r := &reader{
		Snapshot: &Snapshot{
			Name: manifest.Snapshot, Shop: shop, Kinds: manifest.Kinds,
			Users: model.NewTable(model.ColumnsOf(shop.CustomerColumns)), Products: model.NewTable(model.ColumnsOf(shop.ProductColumns)),
		},
		wanted: wanted, meaning: newMeaning(manifest), columns: map[string]int32{}, texts: map[string]string{}, sorted: true,
	}
	if wanted.Ratings {
		r.Ratings = newMatrix(manifest.Rows)
	}
	for range len(wanted.HoldOuts) + len(wanted.Validations) {
		r.Parts = append(r.Parts, Part{Train: newMatrix(0), HeldOut: newMatrix(0)})
	}
	r.rating = r.meaning.kindOf([]byte(shape.Rating))
	r.splits, r.user = make([]split, len(r.Parts)), r.Users.Empty()
	return r
}

func newMatrix(room int64) *sparse.Matrix {
	return &sparse.Matrix{Start: []int64{0}, Columns: make([]int32, 0, room), Ratings: make([]uint16, 0, room)}
}

// open opens a file for the columns of some facts.
func (r *reader) open(ctx context.Context, store *objectstore.Store, key string, facts model.Columns) (*table, error) {
	role := func(role shape.Role) string {
		c, _ := r.Shop.Interaction(role)
		return c.Name
	}
	kind, at, stars := role(shape.Kind), role(shape.Time), role(shape.Stars)
	names := append([]string{r.Shop.Customer.Name, r.Shop.Product.Name, kind, at, stars, "reason"}, append(facts.Texts, facts.Numbers...)...)
	t, err := openTable(ctx, store, key, names)
	if err != nil {
		return nil, err
	}
	r.fromFile = fields{
		customer: t.index[r.Shop.Customer.Name], product: t.index[r.Shop.Product.Name],
		kind: t.index[kind], at: t.index[at], stars: t.index[stars], reason: t.index["reason"],
	}
	for _, name := range facts.Texts {
		r.fromFile.texts = append(r.fromFile.texts, t.index[name])
	}
	for _, name := range facts.Numbers {
		r.fromFile.numbers = append(r.fromFile.numbers, t.index[name])
	}
	if r.fromFile.product.place == 0 {
		t.Close()
		return nil, fmt.Errorf("%s has no column %s", store.URI(key), r.Shop.Product.Name)
	}
	return t, nil
}

func (r *reader) readProducts(ctx context.Context, store *objectstore.Store, key string) error {
	t, err := r.open(ctx, store, key, r.Products.Columns)
	if err != nil {
		return err
	}
	defer t.Close()
	product := r.Products.Empty()
	return t.each(ctx, func(row parquet.Row) error {
		r.buffer = r.fromFile.product.appendText(r.buffer[:0], row)
		id := string(r.buffer)
		if r.buffer = r.fromFile.reason.appendText(r.buffer[:0], row); len(r.buffer) > 0 {
			r.Unsound = append(r.Unsound, id)
			return nil
		}
		r.facts(row, product)
		r.add(id, product)
		return nil
	})
}

// facts fills a record from a row.
func (r *reader) facts(row parquet.Row, into model.Record) {
	for i, c := range r.fromFile.texts {
		r.buffer = c.appendText(r.buffer[:0], row)
		into.Texts[i] = r.text(r.buffer)
	}
	for i, c := range r.fromFile.numbers {
		into.Numbers[i] = c.number(row)
	}
}

// text is one copy of a text, which the values' memory does not outlive.
func (r *reader) text(text []byte) string {
	kept, known := r.texts[string(text)]
	if !known {
		kept = string(text)
		r.texts[kept] = kept
	}
	return kept
}

// add takes an item in and gives it its column.
func (r *reader) add(id string, facts model.Record) int32 {
	column := int32(len(r.Items))
	r.columns[id], r.Items, r.first = column, append(r.Items, id), append(r.first, timeless)
	r.Products.Add(facts)
	return column
}

func (r *reader) readRange(ctx context.Context, store *objectstore.Store, key string) error {
	t, err := r.open(ctx, store, key, r.Users.Columns)
	if err != nil {
		return err
	}
	defer t.Close()
	if r.fromFile.customer.place == 0 {
		return fmt.Errorf("%s has no column %s", store.URI(key), r.Shop.Customer.Name)
	}
	r.atStart = true
	if err := t.each(ctx, r.addRow); err != nil {
		return fmt.Errorf("%s: %w", store.URI(key), err)
	}
	return nil
}

// addRow adds an interaction, and its customer and its item if they are new.
func (r *reader) addRow(row parquet.Row) error {
	if err := r.turnTo(row); err != nil {
		return err
	}
	var err error
	e := event{at: timeless, stars: sparse.Star}
	if e.kind, err = r.kindOf(row); err != nil {
		return err
	}
	if f := r.fromFile; f.at.known(row) {
		e.at = f.at.whole(row)
	}
	if e.kind.rated && r.fromFile.stars.known(row) {
		if e.stars = r.fromFile.stars.number(row) * sparse.Star; e.stars < sparse.LowestRating || e.stars > sparse.HighestRating {
			return fmt.Errorf("a rating of %v hundredths of a star: want %d to %d", e.stars, sparse.LowestRating, sparse.HighestRating)
		}
	}
	r.buffer = r.fromFile.product.appendText(r.buffer[:0], row)
	column, known := r.columns[string(r.buffer)]
	if !known {
		column = r.add(string(r.buffer), r.Products.Empty())
	}
	if first := &r.first[column]; e.at != timeless && (*first == timeless || e.at < *first) {
		*first = e.at
	}
	if e.column = column; len(r.Parts) > 0 || r.Ratings != nil {
		r.events = append(r.events, e)
	}
	return nil
}

// kindOf returns the type of an interaction. A shop without a column for it has ratings alone.
func (r *reader) kindOf(row parquet.Row) (*kind, error) {
	if r.fromFile.kind.place == 0 {
		return r.rating, nil
	}
	r.buffer = r.fromFile.kind.appendText(r.buffer[:0], row)
	if len(r.buffer) == 0 {
		return nil, errors.New("an interaction without a type")
	}
	return r.meaning.kindOf(r.buffer), nil
}

// turnTo starts the next customer if the row belongs to another one than the row before.
func (r *reader) turnTo(row parquet.Row) error {
	last := len(r.Customers) - 1
	if r.Shop.Customer.Type.Whole() {
		number := r.fromFile.customer.whole(row)
		if last >= 0 && number == r.number {
			return nil
		}
		if !r.atStart && number < r.number {
			return fmt.Errorf("customer %d comes after %d: the rows are not sorted", number, r.number)
		}
		r.number, r.atStart = number, false
	}
	r.buffer = r.fromFile.customer.appendText(r.buffer[:0], row)
	if last >= 0 && r.Customers[last] == string(r.buffer) {
		return nil
	}
	r.close()
	id := string(r.buffer)
	r.sorted = r.sorted && (last < 0 || r.Shop.Customer.Type.Compare(r.Customers[last], id) < 0)
	r.Customers = append(r.Customers, id)
	r.facts(row, r.user)
	r.Users.Add(r.user)
	return nil
}

// close puts the interactions of the last customer into the matrices.
func (r *reader) close() {
	if len(r.Customers) == 0 {
		return
	}
	if r.Ratings != nil {
		r.meaning.sum(&r.sums, r.events, r.Ratings)
	}
	r.part(r.Customers[len(r.Customers)-1])
	r.events = r.events[:0]
}

// finish puts customers, items and the columns of each row into ascending order.
func (r *reader) finish() (*Snapshot, error) {
	r.close()
	places := r.sortItems()
	rows, err := r.sortCustomers()
	if err != nil {
		return nil, err
	}
	arrange := func(m *sparse.Matrix) *sparse.Matrix {
		if m == nil {
			return nil
		}
		m.Width = len(r.Items)
		sortColumns(m, places)
		if rows != nil {
			m = m.Reordered(rows)
		}
		return m
	}
	r.Ages = r.ages(places)
	r.Ratings = arrange(r.Ratings)
	for i := range r.Parts {
		p := &r.Parts[i]
		p.Train, p.HeldOut = arrange(p.Train), arrange(p.HeldOut)
		counts := make([]float64, len(r.Items))
		for column, count := range p.Popularity {
			counts[places[column]] = count
		}
		p.Popularity = counts
	}
	return r.Snapshot, nil
}

// ages returns Snapshot.Ages.
func (r *reader) ages(places []int32) []int32 {
	if r.meaning.newest == timeless {
		return nil
	}
	ages := make([]int32, len(places))
	for column, first := range r.first {
		age := int32(-1)
		if first != timeless {
			age = int32(max(r.meaning.newest-first, 0) / day.Milliseconds())
		}
		ages[places[column]] = age
	}
	return ages
}

// sortItems sorts the items and returns the place of each column.
func (r *reader) sortItems() []int32 {
	order, places := ascending(len(r.Items)), make([]int32, len(r.Items))
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(r.Items[a], r.Items[b]) })
	items := make([]string, len(r.Items))
	for place, column := range order {
		items[place], places[column] = r.Items[column], int32(place)
	}
	r.Items, r.Products = items, r.Products.Sorted(order)
	return places
}

// sortCustomers sorts the customers and returns their rows in the new order, nil if they were sorted. A database orders
// texts by rules of its own. Error: the rows of a customer do not lie together.
func (r *reader) sortCustomers() (order []int32, err error) {
	if r.sorted {
		return nil, nil
	}
	order = ascending(len(r.Customers))
	slices.SortFunc(order, func(a, b int32) int { return r.Shop.Customer.Type.Compare(r.Customers[a], r.Customers[b]) })
	customers := make([]string, len(order))
	for place, row := range order {
		if customers[place] = r.Customers[row]; place > 0 && customers[place] == customers[place-1] {
			return nil, failure.SchemaMismatch.Errorf(
				"snapshot %s: the rows of a customer do not lie together: all rows of a customer must have the same key in {{range KEY}}, and the same spelling; mend the shop file", r.Name)
		}
	}
	r.Customers, r.Users = customers, r.Users.Sorted(order)
	return order, nil
}

func ascending(n int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	return order
}

// sortColumns replaces the columns by their places, in ascending order within each row.
func sortColumns(m *sparse.Matrix, places []int32) {
	var entries []uint64 // a column and its rating, to be sorted as one
	for row := range m.Rows() {
		columns, ratings := m.Row(row)
		entries = entries[:0]
		for k, column := range columns {
			entries = append(entries, uint64(places[column])<<16|uint64(ratings[k]))
		}
		slices.Sort(entries)
		for k, entry := range entries {
			columns[k], ratings[k] = int32(entry>>16), uint16(entry)
		}
	}
}
