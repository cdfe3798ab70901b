{{- /* What the vector database knows of each record. Rows: record, the session's products as the shop spells them, the customer's
	vector or null, the items of the customer's history: first those that are not recommended again, then the others. */ -}}
select a.record, known.session, stored.embedding,
	{{if .HasShop}}array(select item from {{.Rated}} where customer = a.customer){{else}}'{}'::varchar[]{{end}},
	{{if .Blends}}array(select item from {{.History}} where customer = a.customer){{else}}'{}'::varchar[]{{end}}
from {{.Records}}
cross join lateral ({{template "spelled" .}}) known
left join {{.Users}} stored on stored.id = a.customer and a.asked
