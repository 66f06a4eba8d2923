{{/* How many pods may be away at once. Pods that are broken already don't count against a drain. */}}
{{- define "tinko.pdb" -}}
{{- if .root.Values.podDisruptionBudget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "tinko.selectorLabels" . | nindent 6 }}
{{- end -}}
{{- end -}}
