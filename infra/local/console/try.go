package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/serving/answers"
	"recsys/shared/shop/interactions"
	"recsys/shared/shop/training"
	"recsys/shared/stream/activity"
)

// tryPage asks for one customer's recommendations.
type tryPage struct {
	Off      string // why nothing can be asked, "" if it can
	Customer string
	Known    bool      // the customer has interactions
	Facts    []cell    // of the customer
	Had      []product // the history
	MoreHad  int       // products of the history that are not shown
	Session  []product
	Examples []string // customers
	Products []product
	Answer   *activity.Answer // nil: nobody asked
	Best     []ranked
	Similar  []ranked
	To       product // that Similar are similar to
	Why      string  // how the answer was found
}

// More is the number of products of the history that are not shown.
func (p tryPage) More() int64 { return int64(p.MoreHad) }

// product has its id and, if the shop has names, its name.
type product struct{ ID, Name string }

// ranked is a product in a list. Part is its score beside the best, in percent.
type ranked struct {
	product
	Place int
	Score float64
	Part  float64
	Why   string
}

const (
	mostHad      = 30   // products of a history
	mostSession  = 20   // of a session
	mostProducts = 2000 // that the input suggests
	exampleCount = 6
	askedLength  = 10
	// mostRead bounds the interactions that the page reads to know customers.
	mostRead = 5_000_000
)

func (s *Server) try(ctx context.Context, r *http.Request) (any, error) {
	p := tryPage{Customer: strings.TrimSpace(r.FormValue("customer"))}
	if s.source.Answers == nil {
		p.Off = "This console has no connection to the vector database, so it cannot ask. Ask the API of the deployment, or put a record on the stream."
		return p, nil
	}
	snapshot, names, err := s.snapshot(ctx)
	if errors.Is(err, interactions.ErrNoSnapshot) {
		p.Off = "No training data is published yet. Start a run first."
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	if snapshot == nil {
		p.Off = "The shop is too large to be read by a page. Ask the API, or put a record on the stream."
		return p, nil
	}
	named := func(id string) product { return product{id, names[id]} }
	p.fill(snapshot, named)
	p.Session = session(r, snapshot, named)
	if p.Customer == "" && len(p.Session) == 0 {
		return p, nil
	}
	return s.ask(ctx, p, snapshot, named)
}

// fill adds what the snapshot knows.
func (p *tryPage) fill(s *interactions.Snapshot, named func(string) product) {
	if !s.Shop.Customer.Hashed {
		for i := range min(exampleCount, len(s.Customers)) {
			p.Examples = append(p.Examples, s.Customers[i*len(s.Customers)/min(exampleCount, len(s.Customers))])
		}
	}
	for _, id := range s.Items[:min(len(s.Items), mostProducts)] {
		p.Products = append(p.Products, named(id))
	}
	row := slices.Index(s.Customers, p.Customer)
	if p.Known = row >= 0; !p.Known {
		return
	}
	columns, _ := s.Ratings.Row(row)
	for _, column := range columns[:min(len(columns), mostHad)] {
		p.Had = append(p.Had, named(s.Items[column]))
	}
	p.MoreHad = len(columns) - len(p.Had)
	facts := s.Users.Row(row)
	for i, name := range s.Users.Texts {
		p.Facts = append(p.Facts, cell{name, facts.Texts[i]})
	}
	for i, name := range s.Users.Numbers {
		if !math.IsNaN(facts.Numbers[i]) {
			p.Facts = append(p.Facts, cell{name, fmt.Sprint(facts.Numbers[i])})
		}
	}
}

// session reads the products of the form. The one that is added may be given by its name.
func session(r *http.Request, s *interactions.Snapshot, named func(string) product) (list []product) {
	add := func(id string) {
		if !slices.ContainsFunc(list, func(p product) bool { return p.ID == id }) && len(list) < mostSession && id != r.FormValue("remove") {
			list = append(list, named(id))
		}
	}
	for _, id := range r.Form["item"] {
		if slices.Contains(s.Items, id) {
			add(id)
		}
	}
	if wanted := strings.TrimSpace(r.FormValue("add")); wanted != "" {
		place := slices.IndexFunc(s.Items, func(id string) bool {
			return strings.EqualFold(id, wanted) || strings.EqualFold(named(id).Name, wanted) || strings.EqualFold(named(id).Label(), wanted)
		})
		if place >= 0 {
			add(s.Items[place])
		}
	}
	return list
}

// Label is the product for people.
func (p product) Label() string {
	if p.Name == "" {
		return p.ID
	}
	return p.Name + " (" + p.ID + ")"
}

// ask puts the question as a record of the stream.
func (s *Server) ask(ctx context.Context, p tryPage, snapshot *interactions.Snapshot, named func(string) product) (any, error) {
	var broken error
	found, err := s.source.Answers.Answer(ctx, answers.Batch{Limit: askedLength, Reasons: true, Now: time.Now(), Read: func(form *activity.Form) []*activity.Record {
		text, err := record(form, p, snapshot.Shop)
		if err == nil {
			var read activity.Record
			if read, err = activity.Parse(text, form); err == nil {
				return []*activity.Record{&read}
			}
		}
		broken = err
		return nil
	}})
	if err = errors.Join(broken, err); err != nil {
		return nil, fmt.Errorf("asking for the customer %q: %w", p.Customer, err)
	}
	answer := found[0]
	p.Answer, p.Why, p.To = &answer, reason(answer.Recommendation.Strategy, len(p.Session) > 0), named(answer.Similar.To)
	for i, item := range answer.Recommended {
		p.Best = append(p.Best, ranked{named(item.ID), i + 1, item.Score, part(item.Score, answer.Recommended[0].Score), because(item.Reason, named)})
	}
	for i, item := range answer.Similar.Items {
		p.Similar = append(p.Similar, ranked{product: named(item.ID), Place: i + 1, Score: item.Distance})
	}
	return p, nil
}

func part(score, best float64) float64 {
	if best <= 0 {
		return 0
	}
	return max(0, 100*score/best)
}

// record writes the record of the customer and the session, as the shop would put it on the stream. Nothing is in a cart, so
// that a try changes no trends.
func record(form *activity.Form, p tryPage, shop shape.Shop) ([]byte, error) {
	members := map[string]any{"session_id": "console"}
	first := true
	for member, column := range form.Members {
		place := slices.IndexFunc(p.Facts, func(c cell) bool { return c.Name == column.Name })
		switch {
		case first && p.Customer != "":
			members[member] = value(column.Type, p.Customer)
		case !first && place >= 0:
			members[member] = value(column.Type, p.Facts[place].Value)
		}
		first = false
	}
	history := []map[string]any{}
	for _, item := range p.Session {
		history = append(history, map[string]any{form.Product(): value(shop.Product.Type, item.ID), "quantity": 1, "in_shopping_cart": false})
	}
	members["browse_history"] = history
	return json.Marshal(members)
}

// value returns a text as JSON has it: numbers of the shop are numbers.
func value(of shape.Type, text string) any {
	if of != shape.Text && json.Valid([]byte(text)) {
		return json.Number(text)
	}
	return text
}

// because says in words why an item is in the list.
func because(reason activity.Reason, named func(string) product) string {
	switch reason.Code {
	case activity.NearHistory:
		return "like " + named(reason.Of).Label() + " of the history"
	case activity.NearCart, activity.NearSession:
		return "like " + named(reason.Of).Label() + " of the session"
	case activity.FitsTaste:
		return "fits the customer's taste"
	case activity.PopularIn:
		return "popular in " + reason.Of
	}
	return string(reason.Code)
}

// reason says in words how a list was found.
func reason(strategy activity.Strategy, session bool) string {
	moved := ""
	if session {
		moved = " The session moves the vector towards its own products."
	}
	switch {
	case strategy == activity.Model:
		return "The model computes a vector from the customer's features. These products are nearest to it." + moved
	case strategy == activity.StoredVector:
		return "The customer's own vector was learned from their history. These products are nearest to it." + moved
	case strategy == activity.History:
		return "The customer is not known. These products are nearest to the mean of the session."
	case strategy == activity.Trending:
		return "Recent sessions put these products into their carts."
	case strategy == activity.Popular:
		return "Nothing is known of this customer. These products have most interactions."
	case strategy == activity.None:
		return "No version is active, or nothing is left to recommend."
	}
	return "These products have most interactions in the customer's group."
}

// snapshot returns the newest snapshot with the products' names. It is nil for a shop that is too large.
func (s *Server) snapshot(ctx context.Context) (*interactions.Snapshot, map[string]string, error) {
	latest, err := interactions.Latest(ctx, s.source.Lake)
	if err != nil || latest.Rows > mostRead {
		return nil, nil, err
	}
	s.shop.mu.Lock()
	defer s.shop.mu.Unlock()
	if s.shop.snapshot != nil && s.shop.snapshot.Name == latest.Snapshot {
		return s.shop.snapshot, s.shop.names, nil
	}
	manifest, err := interactions.ReadManifest(ctx, s.source.Lake, latest.Snapshot)
	if err != nil {
		return nil, nil, err
	}
	snapshot, err := interactions.Read(ctx, s.source.Lake, manifest, interactions.Wanted{Ratings: true})
	if err != nil {
		return nil, nil, err
	}
	names, err := training.ProductNames(ctx, s.source.Lake, manifest.Shape(), lake.ProductsKey(manifest.Snapshot))
	if err != nil {
		return nil, nil, err
	}
	snapshot.Name = latest.Snapshot
	s.shop.snapshot, s.shop.names = snapshot, names
	return snapshot, names, nil
}
