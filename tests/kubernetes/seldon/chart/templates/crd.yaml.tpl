{{- if .Values.crd.create }}
{{- /* The CustomResourceDefinition itself is none of this repository: whoever installs the chart puts it there. */}}
{{ required "crd.json is missing beside Chart.yaml" (.Files.Get "crd.json") }}
{{- end }}
