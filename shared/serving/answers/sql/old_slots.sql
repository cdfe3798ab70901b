{{- /* The slots whose latest cart is older than $1. An index gives the latest cart of each partition. */ -}}
select k from generate_series(0, {{.CartSlots}} - 1) k
where (select seen_at from {{.Carts}} where slot = k::smallint order by number desc limit 1) < $1::timestamptz
