{{/* What this service is. What an operator may choose is in values.yaml. */}}
{{- define "api.facts" -}}
component: api
http: true
fixedSettings:
  TINKO__LISTEN: "0.0.0.0:8080"
optionalSecrets:
  - SENTRY_DSN
  - TINKO__ACCESS_TOKEN_KEYS
  - TINKO__BOUNCE_SECRET
  - TINKO__OPERATOR_TOKEN
  - TWILIO_AUTH_TOKEN
  - WHATSAPP_APP_SECRET
  - WHATSAPP_VERIFY_TOKEN
{{- end -}}
