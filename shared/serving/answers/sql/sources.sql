{{- /* The products whose neighbours count for each record, by their numbers. Rows: record, numbers in ascending order. */ -}}
select own.record, array_agg(own.number order by own.number) from ({{template "sources" .}}) own group by own.record
