{{- /* The items in recent carts that the answering version has. Rows: record, strategy, item, score, facts. PostgreSQL returns the
	rows of a materialized table in their order, so the best come first. */ -}}
with {{template "askers" .}}, hot as materialized (
	select top.item, top.score * {{.Decay "t.updated_at" .Now}} as score
	from {{.Trending}} t cross join lateral unnest(t.items, t.scores) top(item, score)
	where t.counted_to = (select max(counted_to) from {{.Trending}})
		and exists (select from {{.Items}} where id = top.item offset 0)
	order by score desc, item limit {{.HotTrends}}
), found as materialized (
	select q.record, 'trending' as name, c.item, c.value, {{template "customer facts" .}}
	from q cross join lateral (select c.item, c.score as value from hot c where {{template "allowed" .}} limit {{.Fetch}}) c
){{template "with item facts" .}}
