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
# Each: the value under autoscaling.perPod, the external metric's name, and what it is in Prometheus.
scalesBy:
  - target: streamLag
    metric: tinko_notifier_lag
    query: sum(max by (stream) (stream_lag{stream!="failures",namespace="NAMESPACE"}))
  - target: dueWebhooks
    metric: tinko_partner_deliveries_due
    query: max(partner_deliveries_due{namespace="NAMESPACE"})
{{- end -}}
