{{/* What this service is. What an operator may choose is in values.yaml. */}}
{{- define "api.facts" -}}
component: api
http: true
fixedSettings:
  TINKO__LISTEN: "0.0.0.0:8080"
optionalSecrets:
  - SENTRY_DSN
{{- end -}}
