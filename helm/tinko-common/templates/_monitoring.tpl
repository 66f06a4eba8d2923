{{/* For clusters that run the Prometheus Operator; without its definitions the install is refused by name. */}}
{{- define "tinko.servicemonitor" -}}
{{- $monitor := .root.Values.serviceMonitor -}}
{{- if $monitor.enabled -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  # `job` is the service's name, whatever the release is called: alerts and dashboards go by it.
  jobLabel: app.kubernetes.io/component
  selector:
    matchLabels:
      {{- include "tinko.selectorLabels" . | nindent 6 }}
  namespaceSelector:
    matchNames:
      - {{ .root.Release.Namespace }}
  targetLabels:
    - app.kubernetes.io/component
  endpoints:
    - port: admin
      path: /metrics
      interval: {{ $monitor.interval }}
      scrapeTimeout: {{ $monitor.scrapeTimeout }}
{{- end -}}
{{- end -}}
