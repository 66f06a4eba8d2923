{{/* From SIGTERM the process has TINKO__SHUTDOWN_GRACE_SECONDS to finish what it holds. Before it, preStop waits until
     load balancers have stopped sending; after it, 5 s are left for flushing telemetry before the kill. */}}
{{- define "tinko.terminationGracePeriodSeconds" -}}
{{- add .root.Values.preStopSeconds .root.Values.settings.TINKO__SHUTDOWN_GRACE_SECONDS 5 -}}
{{- end -}}

{{/* Changing a plain setting changes this, which rolls the pods. */}}
{{- define "tinko.podAnnotations" -}}
checksum/settings: {{ include "tinko.settings" . | sha256sum }}
{{- with .root.Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tinko.serviceContainer" -}}
name: {{ .facts.component }}
image: {{ include "tinko.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
envFrom:
  - configMapRef:
      name: {{ include "tinko.fullname" . }}
env:
  {{- include "tinko.secretEnv" . | trim | nindent 2 }}
  {{- with include "tinko.extraEnv" . }}
  {{- . | nindent 2 }}
  {{- end }}
ports:
  {{- if .facts.http }}
  - name: http
    containerPort: 8080
    protocol: TCP
  {{- end }}
  - name: admin
    containerPort: 9090
    protocol: TCP
{{ include "tinko.probes" . }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ .root.Values.preStopSeconds }}
resources:
  {{- toYaml .root.Values.resources | nindent 2 }}
securityContext:
  {{- include "tinko.containerSecurityContext" . | nindent 2 }}
volumeMounts:
  {{- include "tinko.volumeMounts" . | nindent 2 }}
{{- end -}}

{{- define "tinko.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
spec:
  {{- if not .root.Values.autoscaling.enabled }}
  replicas: {{ .root.Values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  minReadySeconds: 5
  progressDeadlineSeconds: 600
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "tinko.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "tinko.podLabels" . | nindent 8 }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        {{- include "tinko.podAnnotations" . | nindent 8 }}
    spec:
      serviceAccountName: {{ include "tinko.serviceAccountName" . }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with include "tinko.imagePullSecrets" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ include "tinko.terminationGracePeriodSeconds" . }}
      securityContext:
        {{- include "tinko.podSecurityContext" . | nindent 8 }}
      containers:
        - {{ include "tinko.serviceContainer" . | nindent 10 | trim }}
      volumes:
        {{- include "tinko.volumes" . | nindent 8 }}
      topologySpreadConstraints:
        {{- include "tinko.topologySpread" . | trim | nindent 8 }}
      {{- with include "tinko.scheduling" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
{{- end -}}
