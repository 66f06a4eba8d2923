{{/* `helm test`: whether the Service leads to pods that are started, alive and ready. */}}
{{- define "tinko.test" -}}
{{- if .root.Values.helmTest.enabled -}}
{{- $name := printf "%s-test" (include "tinko.fullname" .) -}}
{{- $admin := printf "http://%s.%s:9090" (include "tinko.fullname" .) .root.Release.Namespace -}}
{{- $ctx := dict "root" .root "facts" (merge (dict "component" "test") .facts) -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tinko.labels" $ctx | nindent 4 }}
  annotations:
    helm.sh/hook: test
    # A failed one stays for its logs, until the next try.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: Never
  activeDeadlineSeconds: 120
  {{- with include "tinko.imagePullSecrets" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- include "tinko.podSecurityContext" . | nindent 4 }}
  containers:
    - name: test
      image: {{ .root.Values.helmTest.image }}
      imagePullPolicy: IfNotPresent
      command:
        - curl
        - --fail
        - --fail-early
        - --silent
        - --show-error
        - --max-time
        - "5"
        - --retry
        - "10"
        - --retry-delay
        - "5"
        - --retry-all-errors
        - {{ $admin }}/{healthz,startupz,readyz}
      resources:
        requests:
          cpu: 10m
          memory: 16Mi
        limits:
          cpu: 100m
          memory: 64Mi
      securityContext:
        {{- include "tinko.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- include "tinko.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "tinko.volumes" . | nindent 4 }}
  {{- with include "tinko.scheduling" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}
