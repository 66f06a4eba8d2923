{{/* Names and labels. All take the dict described in this chart's README. */}}

{{/* The name that all objects of a release carry, at most 53 characters so that a suffix still fits into 63. */}}
{{- define "tinko.fullname" -}}
{{- $root := .root -}}
{{- if $root.Values.fullnameOverride -}}
{{- $root.Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains $root.Chart.Name $root.Release.Name -}}
{{- $root.Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $root.Release.Name $root.Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change during a release's life: a Deployment's selector can't be altered. */}}
{{- define "tinko.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .facts.component }}
{{- end -}}

{{- define "tinko.labels" -}}
{{ include "tinko.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tinko
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* Without the chart's version: a new chart that changes nothing in the pods need not roll them. */}}
{{- define "tinko.podLabels" -}}
{{ include "tinko.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tinko
{{- end -}}

{{- define "tinko.metadata" -}}
name: {{ include "tinko.fullname" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "tinko.labels" . | nindent 2 }}
{{- end -}}

{{- define "tinko.serviceAccountName" -}}
{{- if .root.Values.serviceAccount.create -}}
{{- .root.Values.serviceAccount.name | default (include "tinko.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name must name an existing account when serviceAccount.create is false" .root.Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A digest pins the bytes and wins over the tag. */}}
{{- define "tinko.image" -}}
{{- $image := .root.Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
