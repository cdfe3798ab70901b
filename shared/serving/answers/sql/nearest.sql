{{- /* The items nearest to each record's vector. Rows: record, strategy, item, distance, facts. */ -}}
with {{template "vectors" .}}, found as materialized (
	select q.record, q.strategy as name, c.item, c.value, {{template "customer facts" .}}
	from q cross join lateral ({{template "near" .}}) c
	where q.vector is not null
){{template "with item facts" .}}
