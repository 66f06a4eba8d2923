{{/* What this service is. What an operator may choose is in values.yaml. */}}
{{- define "notifier.facts" -}}
component: notifier
http: false
fixedSettings: {}
optionalSecrets:
  - ANALYTICS_SINK_URL
  - SENTRY_DSN
  - TWILIO_ACCOUNT_SID
  - TWILIO_AUTH_TOKEN
  - TWILIO_FROM
  - WHATSAPP_PHONE_NUMBER_ID
  - WHATSAPP_TOKEN
{{- end -}}
