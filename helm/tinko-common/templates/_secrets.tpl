{{/* What the External Secrets Operator makes the Secret from. All properties of the remote entry are taken, since naming each
     would make the whole fail for an optional one that isn't there. The Secret outlives a store that forgets it. */}}
{{- define "tinko.externalSecretSpec" -}}
{{- $external := .root.Values.externalSecrets -}}
refreshInterval: {{ $external.refreshInterval }}
secretStoreRef:
  kind: {{ $external.store.kind }}
  name: {{ $external.store.name }}
target:
  name: {{ .target }}
  creationPolicy: Owner
  deletionPolicy: Retain
dataFrom:
  - extract:
      key: {{ $external.remoteKey | quote }}
{{- end -}}

{{- define "tinko.externalsecret" -}}
{{- if .root.Values.externalSecrets.enabled -}}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
spec:
  {{- include "tinko.externalSecretSpec" (dict "root" .root "target" .root.Values.secrets.existingSecret) | nindent 2 }}
{{- end -}}
{{- end -}}
