{{- /* The neighbours of all those products, each once. Rows: number, targets, weights. */ -}}
with own as materialized (select distinct sources.number from ({{template "sources" .}}) sources)
select own.number, n.targets, n.weights from own
	cross join lateral (select targets, weights from {{.Neighbours}} where number = own.number offset 0) n
