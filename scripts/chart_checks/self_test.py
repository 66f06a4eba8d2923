"""Breaks a copy of the charts on purpose, one way at a time, and insists that the checks notice each."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import helm_python

from .breaks import Break
from .findings import faults_of_chart_files, faults_of_rendering
from .render import least_values, overlay, render
from .settings import SERVICES

LIB = "tinko-common/templates/"


BREAKS = (
    Break(LIB + "_pod.tpl", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "can write to its root"),
    Break(LIB + "_pod.tpl", "runAsUser: 65532", "runAsUser: 0", "may run as root"),
    Break(LIB + "_pod.tpl", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "may gain privileges"),
    Break(LIB + "_pod.tpl", "    - ALL", "    - NET_RAW", "keeps capabilities"),
    Break(LIB + "_pod.tpl", "type: RuntimeDefault", "type: Unconfined", "no seccomp profile"),
    Break(LIB + "_pod.tpl", "    sizeLimit: 64Mi", "    medium: Memory", "not an emptyDir with a sizeLimit"),
    Break(LIB + "_pod.tpl", "path: /readyz", "path: /healthz", "no readinessProbe"),
    Break(LIB + "_pod.tpl", "startupProbe:", "startUpProbe:", "startUpProbe"),
    Break(LIB + "_pod.tpl", 'list "kubernetes.io/hostname" ', "list ", "not spread over nodes"),
    Break(LIB + "_deployment.tpl", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "mounts an account's token"),
    Break(LIB + "_deployment.tpl", "SHUTDOWN_GRACE_SECONDS 5", "SHUTDOWN_GRACE_SECONDS 0", "is killed after"),
    Break(LIB + "_deployment.tpl", "sleep:\n      seconds: {{ .root.Values.preStopSeconds }}", "exec:\n      command: [sleep]", "does not wait preStopSeconds"),
    Break(LIB + "_deployment.tpl", "  {{- toYaml .root.Values.resources | nindent 2 }}", "  {}", "has no limits.memory"),
    Break(LIB + "_deployment.tpl", "revisionHistoryLimit: 5", 'revisionHistoryLimit: "5"', "revisionHistoryLimit"),
    Break(LIB + "_deployment.tpl", "{{- if not .root.Values.autoscaling.enabled }}", "{{- if true }}", "never both"),
    Break(LIB + "_deployment.tpl", "minReadySeconds", "minReadySecond", "minReadySecond"),
    Break(LIB + "_names.tpl", '"%s:%s" $image.repository ($image.tag | default .root.Chart.AppVersion)', '"%s:latest" $image.repository', "has no fixed tag"),
    Break(LIB + "_names.tpl", "app.kubernetes.io/part-of: tinko\napp.kubernetes.io/managed-by", "app.kubernetes.io/managed-by", "lacks the label app.kubernetes.io/part-of"),
    Break(LIB + "_names.tpl", "namespace: {{ .root.Release.Namespace }}", "namespace: default", "not in the release's namespace"),
    Break(LIB + "_settings.tpl", "key: {{ get $keyOverrides $name | default (get $secrets.keys $name) }}", "key: {{ get $secrets.keys $name }}x", "takes DATABASE_URL from"),
    Break(LIB + "_settings.tpl", "optional: true", "optional: false", "wrong way round whether SENTRY_DSN"),
    Break(LIB + "_settings.tpl", 'dict "TINKO__ADMIN_LISTEN"', 'dict "REDIS_URL" "redis://redis" "TINKO__ADMIN_LISTEN"', "has REDIS_URL twice"),
    Break(LIB + "_settings.tpl", 'dict "TINKO__ADMIN_LISTEN"', 'dict "TINKO__ADMIN_LISTN"', "does not know"),
    Break(LIB + "_service.tpl", "targetPort: admin", "targetPort: metrics", "the Service's ports are"),
    Break(LIB + "_scaling.tpl", "kind: Deployment\n    name: {{ include \"tinko.fullname\" . }}", "kind: Deployment\n    name: tinko", "does not scale the Deployment"),
    Break(LIB + "_scaling.tpl", "apiVersion: autoscaling/v2", "apiVersion: autoscaling/v2beta2", "Couldn't find schema"),
    Break(LIB + "_scaling.tpl", "stabilizationWindowSeconds: 300", "stabilizationWindowSeconds: 0", "not quicker up than down"),
    Break(LIB + "_availability.tpl", "maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}", "maxUnavailable: 2", "lets 2 of 2 pods go"),
    Break(LIB + "_availability.tpl", "if .root.Values.podDisruptionBudget.enabled", "if false", "there is no PodDisruptionBudget"),
    Break(LIB + "_network.tpl", "          - 169.254.169.254/32\n", "          - 192.0.2.1/32\n", "metadata address"),
    Break(LIB + "_network.tpl", "    - Ingress\n    - Egress\n  ingress", "    - Ingress\n  ingress", "leaves a direction open"),
    Break(LIB + "_monitoring.tpl", "scrapeTimeout:", "scrapeTimeOut:", "scrapeTimeOut"),
    Break(LIB + "_monitoring.tpl", "- port: admin", "- port: metrics", "does not read the admin port"),
    Break(LIB + "_monitoring.tpl", "jobLabel: app.kubernetes.io/component", "jobLabel: app.kubernetes.io/name-of-it", "Prometheus would call"),
    Break(LIB + "_alerts.tpl", '"\\"SERVICE\\"" ($facts', '"NOBODY" ($facts', "calls its service SERVICE"),
    Break(LIB + "_alerts.tpl", '"RUNBOOKS/"', '"RUNBOOK/"', "runbook_url"),
    Break(LIB + "_alerts.tpl", '"rules/*.yaml"', '"rule/*.yaml"', "spec.groups"),
    Break(LIB + "_scaling.tpl", "name: {{ .metric }}", "title: {{ .metric }}", "'name' is a required property"),
    Break(LIB + "_scaling.tpl", "gt (int $most) 0", "gt (int $most) 1000", "not by each target of autoscaling.perPod"),
    Break(LIB + "_secrets.tpl", "extract:", "extracts:", "extracts"),
    Break(LIB + "_secrets.tpl", "deletionPolicy: Retain", "deletionPolicy: Keep", "deletionPolicy"),
    Break(LIB + "_secrets.tpl", '"target" .root.Values.secrets.existingSecret', '"target" "other"', "the ExternalSecrets make"),
    Break(LIB + "_test.tpl", '"component" "test"', '"component" "api"', "selects pods that aren't its own"),
    Break(LIB + "_test.tpl", "memory: 64Mi", "mem: 64Mi", "has no limits.memory"),
    Break(LIB + "_test.tpl", "helm.sh/hook: test", "helm.sh/hok: test", "is no hook"),
    Break("api/templates/migrate.yaml", '"secretName" (printf "%s-migrate"', '"secretName" (printf "%s-migrates"', "takes DATABASE_URL from another Secret"),
    Break("api/values.yaml", "targetCPUUtilizationPercentage: 65", "targetCPUUtilizationPercentage: 80", "not at 65 % CPU"),
    Break("api/values.yaml", "maxReplicas: 10", "maxReplicas: 1", "Helm refuses"),
    Break("api/templates/_facts.tpl", "component: api", "component: Api!", "label value that Kubernetes refuses"),
    Break("api/templates/migrate.yaml", "- migrate\n", "- serve\n", "does not run `api migrate`"),
    Break("api/templates/migrate.yaml", "serviceAccountName: {{ $name }}", 'serviceAccountName: {{ include "tinko.fullname" $ctx }}', "account is no hook"),
    Break("api/templates/migrate.yaml", '(set $facts "component" "migrate")', "$facts", "selects pods that aren't its own"),
    Break("api/templates/migrate.yaml", "helm.sh/hook: pre-install,pre-upgrade\n    helm.sh/hook-weight: \"0\"", "helm.sh/hook: post-install", "not a hook before"),
    Break("notifier/values.yaml", "    SMTP_URL: SMTP_URL\n", "", "SMTP_URL", "notifier"),
    Break("notifier/templates/_facts.tpl", "  - TWILIO_FROM\n", "", "whether TWILIO_FROM", "notifier"),
    Break("notifier/templates/service.yaml", "{{-", "{{- if -}}", "Helm refuses", "notifier"),
    Break("retry-worker/templates/_facts.tpl", "http: false", "http: true", "the container's ports are", "retry-worker"),
    Break("retry-worker/templates/pdb.yaml", "tinko.pdb", "tinko.hpa", "is there twice", "retry-worker"),
    Break("retry-worker/README.md", "| `replicas` | `2` |", "| `replicas` | `3` |", "not up to date", "retry-worker"),
)


# Through a HorizontalPodAutoscaler, and by all that waits besides CPU.
TARGETS = {
    "api": {"requestsPerSecond": 200},
    "retry-worker": {"streamLag": 500, "dueAttempts": 200},
    "notifier": {"streamLag": 500, "dueWebhooks": 300},
}
OBSERVED = {
    "serviceMonitor": {"enabled": True},
    "externalSecrets": {"enabled": True, "store": {"name": "vault"}, "remoteKey": "tinko"},
    "dashboards": {"enabled": True},
    "prometheusRule": {"enabled": True, "runbooksUrl": "https://example.com/runbooks"},
}


def _faults(helm: Path, chart: str) -> Iterator[str]:
    chart_dir = helm / chart
    try:
        yield from faults_of_chart_files(chart_dir)
        values = overlay(overlay(least_values(chart_dir), OBSERVED), {"autoscaling": {"perPod": TARGETS[chart]}})
        for case, given in (("default", least_values(chart_dir)), ("observed", values)):
            yield from faults_of_rendering(render(chart_dir, chart, case, "tinko", given))
    except helm_python.HelmError as error:
        yield f"Helm refuses: {error}"


def run_self_test(helm: Path) -> tuple[int, list[str]]:
    """How many breaks were tried, and those that went unnoticed."""
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        shutil.copytree(helm, whole, symlinks=True)
        for chart in SERVICES:
            missed += [f"the unbroken copy of {chart} has a fault: {fault}" for fault in _faults(whole, chart)]
        for index, each in enumerate(BREAKS):
            broken = Path(folder) / str(index)
            shutil.copytree(helm, broken, symlinks=True)
            missed += each.unnoticed(broken, lambda copy, chart=each.chart: _faults(copy, chart))
    return len(BREAKS), missed

