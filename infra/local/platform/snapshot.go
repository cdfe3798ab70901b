package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/interactions"
	"recsys/shared/shop/training"
	"recsys/shared/stream/activity"
)

// Snapshot returns the manifest of the published snapshot, or interactions.ErrNoSnapshot.
func (c *Client) Snapshot(ctx context.Context) (lake.Manifest, error) {
	latest, err := interactions.Latest(ctx, c.Store(LakeBucket))
	if err != nil {
		return lake.Manifest{}, err
	}
	return interactions.ReadManifest(ctx, c.Store(LakeBucket), latest.Snapshot)
}

// ProductNames returns the names of a snapshot's products by their ids. A shop without a column of that role has none.
func (c *Client) ProductNames(ctx context.Context, manifest lake.Manifest) (map[string]string, error) {
	return training.ProductNames(ctx, c.Store(LakeBucket), manifest.Shape(), lake.ProductsKey(manifest.Snapshot))
}

// seenProducts is how many products are in the history of a record that OwnActivity makes.
const seenProducts = 2

// OwnActivity returns records of some customers of a snapshot, one a line: their own features, and products that they have had.
// The customers are spread over the first range. Hashed ids are left out, because the stream hashes the ids that it gets.
func (c *Client) OwnActivity(ctx context.Context, manifest lake.Manifest, most int) ([]byte, error) {
	manifest.Ranges = min(manifest.Ranges, 1)
	snapshot, err := interactions.Read(ctx, c.Store(LakeBucket), manifest, interactions.Wanted{Ratings: true})
	if err != nil {
		return nil, err
	}
	var records bytes.Buffer
	customers, form := len(snapshot.Customers), activity.FormOf(snapshot.Shop)
	for i := range min(customers, most) {
		if err := writeRecord(&records, form, snapshot, i*customers/min(customers, most)); err != nil {
			return nil, err
		}
	}
	return records.Bytes(), nil
}

// writeRecord writes one customer's record.
func writeRecord(out *bytes.Buffer, form *activity.Form, s *interactions.Snapshot, row int) error {
	record := object{{"session_id", "own-" + fmt.Sprint(row+1)}}
	facts, first := s.Users.Row(row), true
	for member, column := range form.Members {
		switch place := slices.Index(s.Users.Texts, column.Name); {
		case first && !s.Shop.Customer.Hashed:
			record = append(record, objectMember{member, id(column.Type, s.Customers[row])})
		case first:
		case place >= 0:
			record = append(record, objectMember{member, facts.Texts[place]})
		default:
			place = slices.Index(s.Users.Numbers, column.Name)
			if place >= 0 && !math.IsNaN(facts.Numbers[place]) {
				record = append(record, objectMember{member, facts.Numbers[place]})
			}
		}
		first = false
	}
	columns, _ := s.Ratings.Row(row)
	history := []object{}
	for _, column := range columns[:min(len(columns), seenProducts)] {
		history = append(history, object{{form.Product(), id(s.Shop.Product.Type, s.Items[column])}, {"quantity", 1}, {"in_shopping_cart", false}})
	}
	return json.NewEncoder(out).Encode(append(record, objectMember{"browse_history", history}))
}

// id returns an id as JSON has it: whole numbers are numbers.
func id(of shape.Type, text string) any {
	if of.Whole() {
		return json.Number(text)
	}
	return text
}

// object is a JSON object whose members keep their order.
type object []objectMember

type objectMember struct {
	name  string
	value any
}

// MarshalJSON writes the object.
func (o object) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, member := range o {
		value, err := json.Marshal(member.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, "%q:%s", member.name, value)
	}
	return append(text, '}'), nil
}
