package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"recsys/shared/activity"
	"recsys/shared/vectorstore"
)

// asking is the questions of a batch as the arrays that one pgx.Batch carries, and the place where its
// rows arrive. Lists of different lengths travel flat, as pairs of a record's index and a value.
//
// Why the queries look as they do (PostgreSQL 17, pgvector 0.8): the HNSW index serves a LATERAL subquery with
// ORDER BY embedding <operator> vector LIMIT constant, once a record; with another ORDER BY, or a LIMIT
// that is a parameter and so counts as a tenth of the table, the planner reads the whole table each time.
type asking struct {
	version   vectorstore.ActiveVersion
	limit     int
	questions []question
	popular   map[string][]activity.Scored // by vectorstore.CountryKey
}

func newAsking(version vectorstore.ActiveVersion, limit int, questions []question) *asking {
	for i := range questions {
		questions[i].answer = activity.Answer{
			Recommended: make([]activity.Scored, 0, limit), Similar: make([]activity.Near, 0, limit),
		}
	}
	return &asking{version: version, limit: limit, questions: questions, popular: map[string][]activity.Scored{}}
}

func (a *asking) batch() *pgx.Batch {
	batch := &pgx.Batch{}
	batch.Queue("begin isolation level repeatable read, read only")
	// At least one more than the limit: the similar items leave one out. 1,000 is pgvector's largest.
	efSearch := min(max(a.version.EfSearch, a.limit+1), 1000)
	batch.Queue("select set_config('hnsw.ef_search', $1::text, true)", strconv.Itoa(efSearch))
	// Since pgvector 0.8, a scan that a filter leaves short goes on.
	batch.Queue(`select set_config('hnsw.iterative_scan', 'strict_order', true) from pg_extension
		where extname = 'vector' and string_to_array(extversion, '.')::int[] >= '{0,8}'`)
	a.queueByModel(batch)
	a.queueByLookup(batch)
	a.queueSimilar(batch)
	a.queuePopular(batch)
	batch.Queue("commit")
	return batch
}

// queueByModel asks for the items nearest to the model's vectors.
func (a *asking) queueByModel(batch *pgx.Batch) {
	var records []int32
	var vectors vectorArray
	for i := range a.questions {
		if vector := a.questions[i].vector; vector != nil {
			records = append(records, int32(i))
			vectors.add(vector)
		}
	}
	if len(records) == 0 {
		return
	}
	batch.Queue(fmt.Sprintf(`
		select q.record, '%s', near.id, near.distance
		from unnest($1::int[], $2::vector[]) q(record, vector) cross join lateral (%s) near
		order by q.record, near.distance, near.id`, activity.Model, a.nearest("q.vector", "")),
		records, vectors.literal()).Query(a.takeRecommended)
}

// queueByLookup asks for the items nearest to the vectors that the database itself holds for the other
// records: the customer's, else the mean of the session's products. A mean of zero points nowhere.
func (a *asking) queueByLookup(batch *pgx.Batch) {
	var records []int32
	var customers []*int32
	for i := range a.questions {
		if a.questions[i].vector == nil {
			records = append(records, int32(i))
			customers = append(customers, customerID(a.questions[i].record.CustomerNumber))
		}
	}
	if len(records) == 0 {
		return
	}
	of, products := a.products(func(q *question) bool { return q.vector == nil })
	batch.Queue(fmt.Sprintf(`
		with history as (
			select p.record, avg(item.embedding) as mean
			from unnest($3::int[], $4::text[]) p(record, product) join %s item on item.id = p.product
			group by p.record having vector_norm(avg(item.embedding)) > 0
		), q as materialized (
			select asked.record, coalesce(stored.embedding, history.mean) as vector,
				case when stored.embedding is null then '%s' else '%s' end as strategy
			from unnest($1::int[], $2::int[]) asked(record, customer)
			left join %s stored on stored.id = asked.customer
			left join history on history.record = asked.record
			where coalesce(stored.embedding, history.mean) is not null
		)
		select q.record, q.strategy, near.id, near.distance
		from q cross join lateral (%s) near
		order by q.record, near.distance, near.id`,
		vectorstore.ItemTable(a.version.Version), activity.History, activity.StoredVector,
		vectorstore.UserTable(a.version.Version), a.nearest("q.vector", "")),
		records, customers, of, products).Query(a.takeRecommended)
}

// queueSimilar asks for the items nearest to the first known product of each session; sessions share
// products, so each product is asked for once.
func (a *asking) queueSimilar(batch *pgx.Batch) {
	of, products := a.products(func(*question) bool { return true })
	if len(products) == 0 {
		return
	}
	items := vectorstore.ItemTable(a.version.Version)
	batch.Queue(fmt.Sprintf(`
		with known as (
			select distinct on (p.record) p.record, item.id
			from unnest($1::int[], $2::text[]) with ordinality p(record, product, place) join %s item on item.id = p.product
			order by p.record, p.place
		), q as materialized (
			select item.id, item.embedding, asked.records
			from (select id, array_agg(record) as records from known group by id) asked join %s item on item.id = asked.id
		)
		select q.records, q.id, near.id, near.distance
		from q left join lateral (%s) near on true
		order by q.id, near.distance, near.id`, items, items, a.nearest("q.embedding", "where candidate.id <> q.id")),
		of, products).Query(a.takeSimilar)
}

// queuePopular asks for the fallback of the records that the model does not answer.
func (a *asking) queuePopular(batch *pgx.Batch) {
	countries := []string{}
	for i := range a.questions {
		if a.questions[i].vector == nil {
			countries = append(countries, vectorstore.CountryKey(a.questions[i].record.Country))
		}
	}
	if len(countries) == 0 {
		return
	}
	countries = append(countries, vectorstore.AnyCountry)
	slices.Sort(countries)
	batch.Queue(fmt.Sprintf(`
		select q.country, top.item, top.count
		from unnest($1::text[]) q(country) cross join lateral (
			select item, count from %s where country = q.country order by count desc, item limit %d
		) top
		order by q.country, top.count desc, top.item`, vectorstore.PopularityTable(a.version.Version), a.limit),
		slices.Compact(countries)).Query(a.takePopular)
}

// nearest is the subquery that the index serves: (id, distance) of the items nearest to a vector.
func (a *asking) nearest(vector, where string) string {
	distance := fmt.Sprintf("candidate.embedding %s %s", a.version.Metric.Operator(), vector)
	return fmt.Sprintf("select candidate.id, %s as distance from %s candidate %s order by %s limit %d",
		distance, vectorstore.ItemTable(a.version.Version), where, distance, a.limit)
}

// products are the sessions' products as pairs, in their order.
func (a *asking) products(of func(*question) bool) (records []int32, products []string) {
	records, products = []int32{}, []string{}
	for i := range a.questions {
		if q := &a.questions[i]; of(q) {
			for _, product := range q.record.Products {
				records, products = append(records, int32(i)), append(products, product)
			}
		}
	}
	return records, products
}

// customerID is the number as the table of users holds it; nil, which joins with nobody, for a visitor who is
// not known and for a number that the table cannot hold.
func customerID(number int64) *int32 {
	id := int32(number)
	if number == 0 || int64(id) != number {
		return nil
	}
	return &id
}

// vectorArray writes vectors as PostgreSQL reads an array of them: {"[1,2]","[3,4]"}. The shortest digits
// that make the same float32 lose nothing.
type vectorArray []byte

func (v *vectorArray) add(vector []float32) {
	b := append(*v, ',', '"')
	for i, x := range vector {
		b = append(b, ',')
		if i == 0 {
			b[len(b)-1] = '['
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	*v = append(b, ']', '"')
}

func (v vectorArray) literal() string { return "{" + string(v[1:]) + "}" }
