{{/* What this service is. What an operator may choose is in values.yaml. */}}
{{- define "retry-worker.facts" -}}
component: retry-worker
http: false
fixedSettings: {}
optionalSecrets:
  - SENTRY_DSN
# Each: the value under autoscaling.perPod, the external metric's name, and what it is in Prometheus.
scalesBy:
  - target: streamLag
    metric: tinko_failures_lag
    query: max(stream_lag{stream="failures",namespace="NAMESPACE"})
  - target: dueAttempts
    metric: tinko_attempts_due
    query: max(attempts_due{namespace="NAMESPACE"})
{{- end -}}
