{{- /* The items with most interactions, in the record's group and anywhere. The group's column has the name of the lab's. Rows: record, strategy, item, count, facts. */ -}}
with {{template "askers" .}}, found as materialized (
	select q.record, rung.name, c.item, c.value, {{template "customer facts" .}}
	from q
	cross join lateral (values ('popular-in-group', q.country), ('popular', '{{.AnyCountry}}')) rung(name, country)
	cross join lateral (
		select c.item, c.count::float8 as value from {{.Popularity}} c
		where c.country = rung.country and {{template "allowed" .}}
		order by c.count desc, c.item limit {{.Fetch}}
	) c
	where rung.name = 'popular' or q.country <> '{{.AnyCountry}}'
){{template "with item facts" .}}
