{{- /* Whether there are carts that no count has seen, and the last count is not younger than $1. */ -}}
select exists (select from {{.Carts}} where number > (select coalesce(max(counted_to), 0) from {{.Trending}}))
	and not exists (
		select from {{.Trending}}
		where counted_to = (select coalesce(max(counted_to), 0) from {{.Trending}}) and updated_at > $1::timestamptz and updated_at <= $2::timestamptz
	)
