{{- /* Adds the pairs of session and item that are new, if the version has the item. All batches add in one order, so none waits
	for another in a circle. */ -}}
insert into {{.Carts}} (session, item, slot, period, seen_at)
select cart.session, cart.item, $3::smallint, $6::bigint, $4::timestamptz
from (
	select p.session, {{template "spelling" .}} as item
	from unnest($1::uuid[], $2::text[], $5::text[]) p(session, product, folded) offset 0
) cart
where exists (select from {{.Items}} where id = cart.item offset 0)
	and not exists (select from {{.Carts}} c where c.session = cart.session and c.item = cart.item and c.seen_at >= $7::timestamptz offset 0)
order by cart.session, cart.item
on conflict do nothing
