{{/* The chart's files under dashboards/, for the sidecar that loads ConfigMaps with a label into Grafana. */}}
{{- define "tinko.dashboards" -}}
{{- $dashboards := .root.Values.dashboards -}}
{{- if $dashboards.enabled -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ printf "%s-dashboards" (include "tinko.fullname" .) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tinko.labels" . | nindent 4 }}
    {{- toYaml $dashboards.labels | nindent 4 }}
  {{- with $dashboards.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
data:
  {{- range $path, $bytes := .root.Files.Glob "dashboards/*.json" }}
  {{ base $path }}: |-
    {{- toString $bytes | trim | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}
