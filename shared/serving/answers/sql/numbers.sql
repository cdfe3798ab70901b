{{- /* The numbers of items: of those that are named in $1, and of those with a number in $2. Rows: item, number. */ -}}
select asked.item, n.number from unnest($1::text[]) asked(item)
	cross join lateral (select number from {{.Neighbours}} where item = asked.item offset 0) n
union all
select n.item, asked.number from unnest($2::int[]) asked(number)
	cross join lateral (select item from {{.Neighbours}} where number = asked.number offset 0) n
