{{- /* The items that neighbours found. Rows: record, strategy, item, distance, facts. The distance is 0 if the record has no vector. */ -}}
with {{template "vectors" .}}, found as materialized (
	select q.record, q.strategy as name, c.item, coalesce(i.embedding {{.Operator}} q.vector, 0) as value, {{template "customer facts" .}}
	from q
	cross join lateral unnest(q.related::int[]) wanted(number)
	cross join lateral (select item from {{.Neighbours}} where number = wanted.number offset 0) c
	cross join lateral (select embedding from {{.Items}} where id = c.item offset 0) i
){{template "with item facts" .}}
