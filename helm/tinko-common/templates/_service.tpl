{{- define "tinko.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
  {{- with .root.Values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .root.Values.service.type }}
  selector:
    {{- include "tinko.selectorLabels" . | nindent 4 }}
  ports:
    {{- if .facts.http }}
    - name: http
      port: 8080
      targetPort: http
      protocol: TCP
      appProtocol: http
    {{- end }}
    - name: admin
      port: 9090
      targetPort: admin
      protocol: TCP
      appProtocol: http
{{- end -}}

{{- define "tinko.serviceaccount" -}}
{{- if .root.Values.serviceAccount.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "tinko.serviceAccountName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tinko.labels" . | nindent 4 }}
  {{- with .root.Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}
