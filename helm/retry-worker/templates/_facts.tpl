{{/* What this service is. What an operator may choose is in values.yaml. */}}
{{- define "retry-worker.facts" -}}
component: retry-worker
http: false
fixedSettings: {}
optionalSecrets:
  - SENTRY_DSN
{{- end -}}
