{{/* Parts of a pod that the Deployments and the migration Job share. None of the security settings is a value: the
     images are built for them, and a chart in which they can be switched off will one day run without them. */}}

{{/* 65532 is the user `nonroot` of the distroless images. */}}
{{- define "tinko.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "tinko.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
privileged: false
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* /tmp is the one place that can be written. */}}
{{- define "tinko.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .root.Values.caSecret }}
- name: ca
  mountPath: /etc/tinko/ca
  readOnly: true
{{- end }}
{{- end -}}

{{- define "tinko.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with .root.Values.caSecret }}
- name: ca
  secret:
    secretName: {{ . }}
{{- end }}
{{- end -}}

{{/* Start-up may take as long as migrations elsewhere keep readiness back (60 tries of 2 s). Liveness asks only whether
     the process answers: a database that is away must not have healthy pods killed. */}}
{{- define "tinko.probes" -}}
startupProbe:
  httpGet:
    path: /startupz
    port: admin
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet:
    path: /healthz
    port: admin
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /readyz
    port: admin
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{/* Spread over nodes and zones; only pods of the same revision are counted, so that a roll-out does not skew it. */}}
{{- define "tinko.topologySpread" -}}
{{- $ctx := . -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: {{ $ctx.root.Values.topologySpread.whenUnsatisfiable }}
  matchLabelKeys:
    - pod-template-hash
  labelSelector:
    matchLabels:
      {{- include "tinko.selectorLabels" $ctx | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "tinko.scheduling" -}}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "tinko.imagePullSecrets" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
