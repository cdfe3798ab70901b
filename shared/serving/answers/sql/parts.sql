{{- /* The parts that the statements share. q has a row for each record. c is a candidate of that record. */ -}}

{{define "spelling" -}}
	{{- /* The code p.product as the shop spells it: exactly, else the only product that differs in nothing but case. */ -}}
	{{if .HasCodes}}coalesce((select item from {{.Codes}} where folded = p.folded), p.product){{else}}p.product{{end}}
{{- end}}

{{define "spelled" -}}
	select coalesce(array_agg({{template "spelling" .}} order by p.place), '{}') as session
	from unnest(a.session::text[], a.folded::text[]) with ordinality p(product, folded, place)
{{- end}}

{{define "record" -}}
	{{- /* The columns of a record, a of parameters, that are in q for the rules. */ -}}
	a.record, a.customer{{if .WithRelated}}, a.related{{end}}
{{- end}}

{{define "askers" -}}
	{{- /* The records that want items without a vector. VectorlessOnly leaves out those that have one. */ -}}
	q as materialized (
		select {{template "record" .}}, a.country, known.session
		from {{.Records}}
		{{- if .VectorlessOnly}}
		left join {{.Users}} stored on stored.id = a.customer
		{{- end}}
		cross join lateral ({{template "spelled" .}}) known
		{{- if .VectorlessOnly}}
		where stored.id is null and not exists (select from {{.Items}} where id = any (known.session) offset 0)
		{{- end}}
	)
{{- end}}

{{define "sources" -}}
	{{- /* The numbers of the products whose neighbours count: the customer's, the first MostHistory of them, and the session's. */ -}}
	select a.record, own.number from {{.Records}}
	cross join lateral (
		select n.number from (
			select item from {{.Rated}} where customer = a.customer union all select item from {{.History}} where customer = a.customer
		) history
		cross join lateral (select number from {{.Neighbours}} where item = history.item offset 0) n
		order by n.number limit {{.MostHistory}}
	) own
	union
	select a.record, n.number from {{.Records}}
	cross join lateral ({{template "spelled" .}}) known
	cross join lateral unnest(known.session) p(product)
	cross join lateral (select number from {{.Neighbours}} where item = p.product offset 0) n
{{- end}}

{{define "vectors" -}}
	{{- /* q has the vector that each record is searched by, null if there is none, and the strategy that this is. */ -}}
	given as materialized (
		select {{template "record" .}}, a.vector, a.weights::int[] as weights, known.session
		from {{.Records}}
		cross join lateral ({{template "spelled" .}}) known
	), asked as (
		select {{template "record" .}}, a.session, mean.mean,
			{{- if .StoredFirst}}
			coalesce(stored.embedding, a.vector) as own,
			case when stored.embedding is not null then 'stored-vector' when a.vector is not null then 'model' else 'history' end as strategy
			{{- else}}
			coalesce(a.vector, stored.embedding) as own,
			case when a.vector is not null then 'model' when stored.embedding is not null then 'stored-vector' else 'history' end as strategy
			{{- end}}
		from given a
		left join {{.Users}} stored on stored.id = a.customer{{if not .StoredFirst}} and a.vector is null{{end}}
		left join lateral (
			select avg(product.embedding) as mean
			from (select product, max(weight) as weight from unnest(a.session, a.weights) p(product, weight) group by product) p
				cross join lateral (select embedding from {{.Items}} where id = p.product offset 0) product
				cross join lateral generate_series(1, p.weight)
			where p.weight > 0 having vector_norm(avg(product.embedding)) > 0
		) mean on true
	), q as materialized (
		{{- /* (1-w) × the customer's vector + w × the session's mean. The mean is first brought to the customer's length, so that
			w says the same for every length. By l2 vectors are places, and it stays as it is. If the two cancel each other
			out, the customer's vector remains. */}}
		select {{template "record" .}}, session, strategy,
			{{- if .SessionWeight}}
			case when own is null then mean when mean is null then own else (
				select case when vector_norm(v) > 0 then v else own end
				from (select own * array_fill(({{.OwnWeight}})::real, array[{{.Dimension}}])::vector
					+ mean * array_fill(({{.SessionWeight}}{{if .ByDirection}} * vector_norm(own) / vector_norm(mean){{end}})::real, array[{{.Dimension}}])::vector
					as v offset 0) blended
			) end as vector
			{{- else}}
			coalesce(own, mean) as vector
			{{- end}}
		from asked a
	)
{{- end}}

{{define "near" -}}
	{{- /* The items nearest to q.vector. The index serves this ORDER BY and no other, and only with a constant LIMIT. Exact
		reads all items without those that the customer has rated, sorts them, and takes the first that are allowed. */ -}}
	{{- if .Exact -}}
	select c.item, c.value from (
		select i.id as item, i.embedding {{.Operator}} q.vector as value from {{.Items}} i
		{{- if .AskRated}}
		where not exists (select from {{.Rated}} r where r.customer = q.customer and r.item = i.id)
		{{- end}}
		order by (i.embedding {{.Operator}} q.vector) + 0 offset 0
	) c
	where {{template "allowed" .}} limit {{.Fetch}}
	{{- else -}}
	select c.item, c.embedding {{.Operator}} q.vector as value
	from {{.Items}} c(item, embedding)
	where {{template "allowed" .}}
	order by c.embedding {{.Operator}} q.vector limit {{.Fetch}}
	{{- end}}
{{- end}}

{{- /* What the rules ask of a candidate. OFFSET 0 keeps each a probe of a primary key. Without it, PostgreSQL makes it a join,
	for which it may read a whole table and sort it. */ -}}
{{define "rated"}}exists (select from {{.Rated}} r where r.customer = q.customer and r.item = c.item offset 0){{end}}
{{define "sold out"}}exists (select from {{.Attributes}} a where a.item = c.item and a.stock <= 0 offset 0){{end}}
{{define "gone"}}exists (select from {{.Codes}} k where k.item = c.item and k.gone offset 0){{end}}

{{define "allowed" -}}
	{{- /* Filtered applies ranking.Rules.Allows in the search, so that it goes on until it has enough. */ -}}
	true{{if .Similar}} and c.item <> q.item{{end}}
	{{- if .Filtered}}
		{{- if .AskSession}} and c.item <> all (q.session){{end}}
		{{- if .AskGone}} and not {{template "gone" .}}{{end}}
		{{- if and .AskRated (not .Exact)}} and not {{template "rated" .}}{{end}}
		{{- if .AskSoldOut}} and not {{template "sold out" .}}{{end}}
	{{- end}}
{{- end}}

{{define "customer facts" -}}
	{{- /* Of ranking.Candidate: rated, in the session. */ -}}
	{{if and .AskRated (not .Filtered)}}{{template "rated" .}}{{else}}false{{end}} as rated,
	{{if and .AskSession (not .Filtered)}}c.item = any (q.session){{else}}false{{end}} as in_session
{{- end}}

{{define "with item facts" -}}
	{{- /* The rows of found with the facts that belong to the item alone: sold out, gone, the product line. Each item is probed
		once, because the records of a batch find many items in common. */ -}}
	, facts as materialized (
		select c.item,
			{{if and .AskSoldOut (not .Filtered)}}{{template "sold out" .}}{{else}}false{{end}} as sold_out,
			{{if and .AskGone (not .Filtered)}}{{template "gone" .}}{{else}}false{{end}} as gone,
			{{if .WithLines}}coalesce((select line from {{.Attributes}} where item = c.item), ''){{else}}''{{end}} as line
		from (select distinct item from found) c
	)
	select found.record, found.name, found.item, found.value, found.rated, found.in_session,
		coalesce(facts.sold_out, false), coalesce(facts.gone, false), coalesce(facts.line, '')
	from found left join facts on facts.item = found.item
{{- end}}
