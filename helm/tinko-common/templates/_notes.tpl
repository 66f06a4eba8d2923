{{- define "tinko.notes" -}}
{{ .root.Chart.Name }} {{ .root.Values.image.tag | default .root.Chart.AppVersion }} is being rolled out as "{{ include "tinko.fullname" . }}" in namespace {{ .root.Release.Namespace }}.

Watch it come up:
  kubectl -n {{ .root.Release.Namespace }} rollout status deployment/{{ include "tinko.fullname" . }}

Ask a pod whether it is ready, and why not:
  kubectl -n {{ .root.Release.Namespace }} port-forward deployment/{{ include "tinko.fullname" . }} 9090 &
  curl -s http://127.0.0.1:9090/readyz

Secret settings are read from the Secret "{{ .root.Values.secrets.existingSecret }}", which {{ if .root.Values.externalSecrets.enabled }}the External Secrets Operator makes from "{{ .root.Values.externalSecrets.remoteKey }}"{{ else }}this chart does not make{{ end }}. Its keys:
{{- $optional := .facts.optionalSecrets }}
{{- $keys := .root.Values.secrets.keys }}
{{- range $name := keys $keys | sortAlpha }}
  {{ get $keys $name }}{{ if has $name $optional }} (optional){{ end }}
{{- end }}
{{- if not .root.Values.autoscaling.enabled }}

Autoscaling is off: {{ .root.Values.replicas }} pods, whatever the load.
{{- end }}
{{- end -}}
