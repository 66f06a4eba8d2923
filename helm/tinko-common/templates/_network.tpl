{{/* Who may reach the pods, and which ports they may reach. */}}

{{/* The cloud's metadata address hands out node credentials, and partners choose where their webhooks go: it is shut
     out by address. Pods are named by selector as well, because some network plug-ins don't match pods by address. Names are
     looked up anywhere: a node's own DNS cache has a link-local address that no selector matches. */}}
{{- define "tinko.egressRules" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- to:
    - namespaceSelector: {}
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          - 169.254.169.254/32
    - ipBlock:
        cidr: ::/0
        except:
          - fd00:ec2::254/128
  ports:
    {{- range .root.Values.networkPolicy.egressPorts }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- with .root.Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An empty list of peers means "from anywhere" to Kubernetes. The kubelet's probes are let through by network plug-ins
     whatever the policy says. */}}
{{- define "tinko.networkpolicy" -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- if $policy.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "tinko.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "tinko.selectorLabels" . | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
  ingress:
    {{- if .facts.http }}
    - ports:
        - {port: http, protocol: TCP}
      {{- with $policy.httpFrom }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    - ports:
        - {port: admin, protocol: TCP}
      from:
        {{- toYaml $policy.adminFrom | nindent 8 }}
        {{- if .root.Values.helmTest.enabled }}
        - podSelector:
            matchLabels:
              {{- include "tinko.selectorLabels" (dict "root" .root "facts" (dict "component" "test")) | nindent 14 }}
        {{- end }}
  egress:
    {{- include "tinko.egressRules" . | nindent 4 }}
{{- end -}}
{{- end -}}
