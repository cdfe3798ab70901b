{{- /* The items nearest to each record's vector. Rows: record, strategy, item, distance, facts. */ -}}
with given as materialized (
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
), found as materialized (
	select q.record, q.strategy as name, c.item, c.value, {{template "customer facts" .}}
	from q cross join lateral ({{template "near" .}}) c
	where q.vector is not null
){{template "with item facts" .}}
