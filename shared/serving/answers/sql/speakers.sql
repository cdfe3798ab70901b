{{- /* The product of the history or the session that speaks most for each listed item, see reasons.go. Rows: record, item, product. */ -}}
select a.record, listed.item, best.product
from {{.Records}}
cross join lateral ({{template "spelled" .}}) known
cross join lateral unnest(a.listed::text[]) listed(item)
cross join lateral (select embedding from {{.Items}} where id = listed.item offset 0) target
cross join lateral (
	select own.product from (
		{{- if .HasShop}}
		(select item from {{.Rated}} where customer = a.customer order by item limit {{.MostHistory}})
		{{- if .Blends}} union (select item from {{.History}} where customer = a.customer order by item limit {{.MostHistory}}){{end}} union
		{{- end}} select unnest(known.session)
	) own(product)
	cross join lateral (select embedding from {{.Items}} where id = own.product offset 0) product
	{{- if .Blends}}
	cross join lateral (select (
		select n.weights[array_position(n.targets, t.number)] from {{.Neighbours}} n
			cross join lateral (select number from {{.Neighbours}} where item = listed.item offset 0) t
		where n.item = own.product
	) as weight offset 0) n
	where own.product <> listed.item or n.weight > 0
	order by case when n.weight > 0 then n.weight end desc nulls last, product.embedding {{.Operator}} target.embedding, own.product limit 1
	{{- else}}
	where own.product <> listed.item
	order by product.embedding {{.Operator}} target.embedding, own.product limit 1
	{{- end}}
) best
