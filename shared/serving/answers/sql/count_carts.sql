{{- /* Replaces the trends by their sum with all new carts, decayed to now ($1), and keeps the best items. */ -}}
with last as materialized (
	select l.counted_to from (select (select coalesce(max(counted_to), 0) from {{.Trending}}) as counted_to) l
	where exists (select from {{.Carts}} c where c.number > l.counted_to)
), kept as materialized (
	delete from {{.Trending}} t using last where t.counted_to = last.counted_to returning t.items, t.scores, t.updated_at
), added as materialized (
	select c.item, c.seen_at, c.number from {{.Carts}} c where c.number > (select counted_to from last)
), moment as (
	select greatest($1::timestamptz, max(updated_at)) as now from kept
), part(item, score, at) as (
	select top.item, top.score, updated_at from kept cross join lateral unnest(items, scores) top(item, score)
	union all select item, 1, seen_at from added
), total as (
	select item, sum(greatest(score, {{.LeastScore}}) * {{.Decay "at" "now"}}) as score
	from part cross join moment group by item order by score desc, item limit {{.KeptTrends}}
)
insert into {{.Trending}} (counted_to, items, scores, updated_at)
select (select max(number) from added), array_agg(item order by score desc, item), array_agg(score order by score desc, item),
	(select now from moment)
from total having count(*) > 0
