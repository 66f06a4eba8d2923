{{/* The chart's own files under rules/, with what only an install knows put in: SERVICE in a file that every chart holds is the
     service, RUNBOOKS/ the address under which this install's people read docs/runbooks. */}}
{{- define "tinko.prometheusrule" -}}
{{- $rule := .root.Values.prometheusRule -}}
{{- if $rule.enabled -}}
{{- $facts := .facts -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
    {{- with $rule.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  groups:
    {{- range $path, $bytes := .root.Files.Glob "rules/*.yaml" }}
    {{- $text := toString $bytes | replace "\"SERVICE\"" ($facts.component | quote) }}
    {{- $text = $text | replace "RUNBOOKS/" (printf "%s/" ($rule.runbooksUrl | trimSuffix "/")) }}
    {{- toYaml ($text | fromYaml).groups | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}
