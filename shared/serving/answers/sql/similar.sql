{{- /* The items nearest to the most telling known product of each session. Rows: record, product, item, distance, facts. The
	item is null if no other item may be listed. */ -}}
with q as materialized (
	select {{template "record" .}}, own.session, known.item, known.vector
	from {{.Records}}
	cross join lateral ({{template "spelled" .}}) own
	cross join lateral (
		select p.product as item, product.embedding as vector
		from unnest(own.session) with ordinality p(product, place)
			cross join lateral (select embedding from {{.Items}} where id = p.product offset 0) product
		order by p.place limit 1
	) known
), found as materialized (
	select q.record, q.item as name, c.item, c.value, {{template "customer facts" .}}
	from q left join lateral ({{template "near" .}}) c on true
){{template "with item facts" .}}
