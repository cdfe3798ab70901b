{{- /* The shop's facts about its items. Rows: item, sold out, gone, the product line. */ -}}
{{- if and .HasShop .HasCodes -}}
select item, coalesce(a.stock <= 0, false), coalesce(k.gone, false), coalesce(a.line, '') from {{.Attributes}} a full join {{.Codes}} k using (item)
{{- else if .HasShop -}}
select item, stock <= 0, false, line from {{.Attributes}}
{{- else -}}
select '', false, false, '' where false
{{- end}}
