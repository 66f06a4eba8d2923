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
# Each: the value under autoscaling.perPod, the external metric's name, and what it is in Prometheus.
scalesBy:
  - target: requestsPerSecond
    metric: tinko_api_requests_per_second
    query: sum(rate(http_server_request_duration_seconds_count{job="api",namespace="NAMESPACE"}[2m]))
{{- end -}}
