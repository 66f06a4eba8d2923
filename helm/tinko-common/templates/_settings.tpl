{{/* What the process reads from its environment: plain values from a ConfigMap, secret ones from a Secret. */}}

{{/* The plain settings as one map. An empty value is left out, so that the service's own default holds. */}}
{{- define "tinko.settings" -}}
{{- $all := dict "TINKO__ADMIN_LISTEN" "0.0.0.0:9090" -}}
{{- range $name, $value := .facts.fixedSettings -}}
{{- $_ := set $all $name $value -}}
{{- end -}}
{{- range $name, $value := .root.Values.settings -}}
{{- if ne (toString $value) "" -}}
{{- $_ := set $all $name (toString $value) -}}
{{- end -}}
{{- end -}}
{{- range $name := keys $all | sortAlpha }}
{{ $name }}: {{ get $all $name | quote }}
{{- end }}
{{- end -}}

{{- define "tinko.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
data:
  {{- include "tinko.settings" . | trim | nindent 2 }}
{{- end -}}

{{/* One entry per secret setting. A missing optional key leaves the feature off; a missing required one holds the
     pod back with the key's name in its events. */}}
{{- define "tinko.secretEnv" -}}
{{- $secrets := .root.Values.secrets -}}
{{- $optional := .facts.optionalSecrets -}}
{{- $secretName := .secretName | default $secrets.existingSecret -}}
{{- $keyOverrides := .secretKeys | default dict -}}
{{- range $name := keys $secrets.keys | sortAlpha }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secretName }}
      key: {{ get $keyOverrides $name | default (get $secrets.keys $name) }}
      {{- if has $name $optional }}
      optional: true
      {{- end }}
{{- end }}
{{- end -}}

{{/* Whatever has no field of its own yet. A name that has one is refused: of two values for one name it is a matter of
     luck which the process sees. */}}
{{- define "tinko.extraEnv" -}}
{{- $settings := include "tinko.settings" . | fromYaml -}}
{{- range .root.Values.extraEnv -}}
{{- if or (hasKey $settings .name) (hasKey $.root.Values.settings .name) (hasKey $.root.Values.secrets.keys .name) -}}
{{- fail (printf "extraEnv sets %s, which the chart sets itself: use settings.%s or secrets.keys.%s" .name .name .name) -}}
{{- end -}}
{{- end -}}
{{- with .root.Values.extraEnv -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}
