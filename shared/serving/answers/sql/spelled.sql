{{- /* The products of each session as the shop spells them. Rows: record, session. */ -}}
select a.record, known.session from {{.Records}} cross join lateral ({{template "spelled" .}}) known
