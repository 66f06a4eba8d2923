{{/* How many pods there are: a HorizontalPodAutoscaler, or a ScaledObject for KEDA, which makes one itself. Never both, since
     autoscaling.through names one. Both scale by CPU, and by what waits where a target for it is given. */}}

{{/* Up within seconds, since a burst of failed payments is worth most in its first minutes; down slowly, since the next
     burst is often minutes away. */}}
{{- define "tinko.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  selectPolicy: Max
  policies:
    - type: Percent
      value: 100
      periodSeconds: 15
    - type: Pods
      value: 2
      periodSeconds: 15
scaleDown:
  stabilizationWindowSeconds: 300
  selectPolicy: Min
  policies:
    - type: Percent
      value: 25
      periodSeconds: 60
    - type: Pods
      value: 1
      periodSeconds: 60
{{- end -}}

{{- define "tinko.checkScaling" -}}
{{- $scaling := .root.Values.autoscaling -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas (%d) is above autoscaling.maxReplicas (%d)" (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}

{{- define "tinko.hpa" -}}
{{- $scaling := .root.Values.autoscaling -}}
{{- if and $scaling.enabled (eq $scaling.through "HorizontalPodAutoscaler") -}}
{{- include "tinko.checkScaling" . -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "tinko.fullname" . }}
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $scaling.targetCPUUtilizationPercentage }}
    {{- range .facts.scalesBy }}
    {{- $most := get $scaling.perPod .target }}
    {{- if gt (int $most) 0 }}
    - type: External
      external:
        metric:
          name: {{ .metric }}
        target:
          type: AverageValue
          averageValue: {{ $most | quote }}
    {{- end }}
    {{- end }}
  behavior:
    {{- include "tinko.scalingBehavior" . | nindent 4 }}
{{- end -}}
{{- end -}}

{{/* KEDA asks Prometheus itself, so no metrics adapter is needed. */}}
{{- define "tinko.scaledobject" -}}
{{- $scaling := .root.Values.autoscaling -}}
{{- if and $scaling.enabled (eq $scaling.through "ScaledObject") -}}
{{- include "tinko.checkScaling" . -}}
{{- $namespace := .root.Release.Namespace -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "tinko.fullname" . }}
  pollingInterval: 15
  minReplicaCount: {{ $scaling.minReplicas }}
  maxReplicaCount: {{ $scaling.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- include "tinko.scalingBehavior" . | nindent 8 }}
  triggers:
    - type: cpu
      metricType: Utilization
      metadata:
        value: {{ $scaling.targetCPUUtilizationPercentage | quote }}
    {{- range .facts.scalesBy }}
    {{- $most := get $scaling.perPod .target }}
    {{- if gt (int $most) 0 }}
    - type: prometheus
      metricType: AverageValue
      metadata:
        serverAddress: {{ $scaling.prometheusUrl | quote }}
        query: {{ .query | replace "NAMESPACE" $namespace | quote }}
        threshold: {{ $most | quote }}
    {{- end }}
    {{- end }}
{{- end -}}
{{- end -}}
