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
	a.record, a.customer
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
