{{- /* The items that are rated most often, in the record's country and anywhere. Rows: record, strategy, item, count, facts. */ -}}
with {{template "askers" .}}
select q.record, rung.strategy, c.item, c.value, {{template "facts" .}}
from q
cross join lateral (values ('popular-in-country', q.country), ('popular', '{{.AnyCountry}}')) rung(strategy, country)
cross join lateral (
	select c.item, c.count::float8 as value from {{.Popularity}} c
	where c.country = rung.country and {{template "allowed" .}}
	order by c.count desc, c.item limit {{.Fetch}}
) c
where rung.strategy = 'popular' or q.country <> '{{.AnyCountry}}'
