"""The values under which every chart is rendered."""

from dataclasses import dataclass, field
from typing import Any

from .settings import SERVICES

DIGEST = "sha256:" + "0123456789abcdef" * 4


@dataclass(frozen=True)
class Case:
    """`values` go over the least that an install must say. `charts` empty: all of them.

    `compared` false: no snapshot, since it would repeat the default one under another name.
    """

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    release: str = "tinko"
    charts: tuple[str, ...] = ()
    compared: bool = True


EVERYTHING_OFF = {
    "autoscaling": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"create": False, "name": "shared"},
    "helmTest": {"enabled": False},
}
PROMETHEUS = "http://prometheus.monitoring:9090"

CASES = (
    Case("default"),
    Case("hpa-off", {"autoscaling": {"enabled": False}, "replicas": 3}),
    Case("hpa-wide", {"autoscaling": {"minReplicas": 3, "maxReplicas": 40, "targetCPUUtilizationPercentage": 50}}),
    Case("existing-secret", {"secrets": {"existingSecret": "vault-made", "keys": {"DATABASE_URL": "uri"}}}),
    Case("servicemonitor-on", {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}),
    Case("alerts-on", {"prometheusRule": {
        "enabled": True, "labels": {"release": "prometheus"}, "runbooksUrl": "https://example.com/runbooks/",
    }}),
    Case("dashboards-on", {"dashboards": {"enabled": True, "annotations": {"grafana_folder": "Tinko"}}}, compared=False),
    Case("secrets-from-store", {"externalSecrets": {
        "enabled": True, "store": {"kind": "SecretStore", "name": "vault"}, "remoteKey": "payments/tinko",
    }}),
    Case("scaled-by-requests", {"autoscaling": {"perPod": {"requestsPerSecond": 200}}}, charts=("api",)),
    Case("scaled-by-backlog", {"autoscaling": {"perPod": {"streamLag": 500, "dueAttempts": 200}}}, charts=("retry-worker",)),
    Case("scaled-by-backlog", {"autoscaling": {"perPod": {"streamLag": 500, "dueWebhooks": 300}}}, charts=("notifier",)),
    Case("keda", {"autoscaling": {"through": "ScaledObject", "prometheusUrl": PROMETHEUS, "perPod": {"requestsPerSecond": 200}}},
         charts=("api",)),
    Case("keda", {"autoscaling": {"through": "ScaledObject", "prometheusUrl": PROMETHEUS, "perPod": {"streamLag": 500}}},
         charts=("retry-worker", "notifier")),
    Case("everything-off", EVERYTHING_OFF),
    Case("observed", {"settings": {
        "ENVIRONMENT": "staging",
        "LOG_LEVEL": "info,streams=debug",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.observability:4317",
        "SENTRY_TRACES_SAMPLE_RATE": 1,
        "TINKO__TRACE_SAMPLE_RATIO": 0.1,
    }}),
    Case("slow-stop", {"preStopSeconds": 15, "settings": {"TINKO__SHUTDOWN_GRACE_SECONDS": 90}}),
    Case("pinned-image", {"image": {"digest": DIGEST, "pullPolicy": "Always"}, "imagePullSecrets": ["registry"]}),
    Case("placed", {
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "payments", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname"}},
        ]}},
        "priorityClassName": "payments",
        "topologySpread": {"whenUnsatisfiable": "DoNotSchedule"},
        "podLabels": {"team": "payments"},
        "podAnnotations": {"example.com/secret-version": "7"},
        "serviceAccount": {"annotations": {"example.com/role": "tinko"}},
    }),
    Case("closed-network", {"networkPolicy": {
        "adminFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "egressPorts": [5432, 6379],
        "extraEgress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 443}]}],
    }}),
    Case("extra-env", {"extraEnv": [
        {"name": "TINKO__EXAMPLE", "value": "5"},
        {"name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "proxy", "key": "url"}}},
    ]}),
    Case("own-authority", {"caSecret": "internal-ca"}),
    Case("long-name", release="a-release-name-that-is-as-long-as-helm-lets-it-be-123", compared=False),
    Case("named", {"fullnameOverride": "recoveries"}, compared=False),
    Case("behind-ingress", {
        "networkPolicy": {"httpFrom": [{"namespaceSelector": {"matchLabels": {"app": "ingress"}}}]},
        "service": {"annotations": {"example.com/health": "readyz"}},
    }, charts=("api",)),
    Case("migrations-off", {"migrations": {"enabled": False}}, charts=("api",)),
    Case("migrations-own-role", {"migrations": {"databaseUrlKey": "MIGRATOR_URL"}}, charts=("api",)),
)


def cases_for(chart: str) -> list[Case]:
    return [case for case in CASES if not case.charts or chart in case.charts]


def is_compared(case_name: str) -> bool:
    return all(case.compared for case in CASES if case.name == case_name)


@dataclass(frozen=True)
class Refusal:
    """Values that Helm must refuse, and a part of the message that names the mistake."""

    name: str
    values: dict[str, Any]
    message: str
    charts: tuple[str, ...] = tuple(SERVICES)


REFUSALS = (
    Refusal("unknown value", {"replicaCount": 3}, "replicaCount"),
    Refusal("misspelt value", {"autoscaling": {"maxReplica": 3}}, "maxReplica"),
    Refusal("unknown setting", {"settings": {"LOGLEVEL": "info"}}, "LOGLEVEL"),
    Refusal("secret among plain settings", {"settings": {"DATABASE_URL": "postgres://u:p@db/x"}}, "DATABASE_URL"),
    Refusal("unknown secret", {"secrets": {"keys": {"STRIPE_KEY": "k"}}}, "STRIPE_KEY"),
    Refusal("secret value instead of a key", {"secrets": {"keys": {"REDIS_URL": "redis://r:6379"}}}, "REDIS_URL"),
    Refusal("no secret", {"secrets": {"existingSecret": ""}}, "existingSecret"),
    Refusal("no image", {"image": {"repository": ""}}, "repository"),
    Refusal("tag inside the repository's last part", {"image": {"repository": "registry/tinko/api@sha"}}, "repository"),
    Refusal("latest", {"image": {"tag": "latest"}}, "tag"),
    Refusal("short digest", {"image": {"digest": "sha256:abc"}}, "digest"),
    Refusal("replicas as text", {"replicas": "3"}, "replicas"),
    Refusal("no replicas", {"autoscaling": {"minReplicas": 0}}, "minReplicas"),
    Refusal("more at least than at most", {"autoscaling": {"minReplicas": 5, "maxReplicas": 4}}, "above"),
    Refusal("CPU above 100 %", {"autoscaling": {"targetCPUUtilizationPercentage": 101}}, "targetCPU"),
    Refusal("a budget that stops every drain", {"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
    Refusal("no CPU request", {"resources": {"requests": {"cpu": None}}}, "cpu"),
    Refusal("no memory limit", {"resources": {"limits": {"memory": None}}}, "memory"),
    Refusal("memory in a unit that isn't one", {"resources": {"limits": {"memory": "512MB"}}}, "memory"),
    Refusal("base address without scheme", {"settings": {"TINKO__PUBLIC_BASE_URL": "pay.example.com"}}, "PUBLIC_BASE", ("api", "notifier")),
    Refusal("no base address", {"settings": {"TINKO__PUBLIC_BASE_URL": ""}}, "TINKO__PUBLIC_BASE_URL",
            ("api", "notifier")),
    Refusal("collector without scheme", {"settings": {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}}, "OTLP"),
    Refusal("sample rate above one", {"settings": {"SENTRY_TRACES_SAMPLE_RATE": 5}}, "SAMPLE_RATE"),
    Refusal("no time to stop", {"settings": {"TINKO__SHUTDOWN_GRACE_SECONDS": 0}}, "SHUTDOWN_GRACE"),
    Refusal("grace as text", {"settings": {"TINKO__SHUTDOWN_GRACE_SECONDS": "25s"}}, "SHUTDOWN_GRACE"),
    Refusal("recording more than everything", {"settings": {"TINKO__TRACE_SAMPLE_RATIO": 2}}, "TRACE_SAMPLE"),
    Refusal("environment in capitals", {"settings": {"ENVIRONMENT": "Production"}}, "ENVIRONMENT"),
    Refusal("port out of range", {"networkPolicy": {"egressPorts": [70000]}}, "egressPorts"),
    Refusal("admin port open to all", {"networkPolicy": {"adminFrom": []}}, "adminFrom"),
    Refusal("interval without unit", {"serviceMonitor": {"interval": "15"}}, "interval"),
    Refusal("alerts without runbooks", {"prometheusRule": {"enabled": True}}, "runbooksUrl"),
    Refusal("runbooks without scheme", {"prometheusRule": {"runbooksUrl": "docs/runbooks"}}, "runbooksUrl"),
    Refusal("two autoscalers at once", {"autoscaling": {"through": "both"}}, "through"),
    Refusal("KEDA without Prometheus", {"autoscaling": {"through": "ScaledObject"}}, "prometheusUrl"),
    Refusal("a target below nothing", {"autoscaling": {"perPod": {"streamLag": -1}}}, "streamLag", ("retry-worker", "notifier")),
    Refusal("requests for a worker", {"autoscaling": {"perPod": {"requestsPerSecond": 9}}}, "requestsPerSecond", ("retry-worker", "notifier")),
    Refusal("no store", {"externalSecrets": {"enabled": True, "remoteKey": "tinko"}}, "name"),
    Refusal("no entry in the store", {"externalSecrets": {"enabled": True, "store": {"name": "vault"}}}, "remoteKey"),
    Refusal("no such store", {"externalSecrets": {"store": {"kind": "Vault"}}}, "kind"),
    Refusal("test with the latest curl", {"helmTest": {"image": "curlimages/curl:latest"}}, "image"),
    Refusal("dashboards that no sidecar finds", {"dashboards": {"enabled": True, "labels": {"grafana_dashboard": None}}}, "labels"),
    Refusal("no such Service type", {"service": {"type": "ExternalName"}}, "type"),
    Refusal("extra variable with two sources", {"extraEnv": [{"name": "A", "value": "", "valueFrom": {}}]}, "extraEnv"),
    Refusal("extra variable that has a setting", {"extraEnv": [{"name": "LOG_LEVEL", "value": "debug"}]}, "settings."),
    Refusal("extra variable that has a secret", {"extraEnv": [{"name": "REDIS_URL", "value": "redis://r"}]}, "secrets."),
    Refusal("extra variable that is fixed", {"extraEnv": [{"name": "TINKO__ADMIN_LISTEN", "value": ":1"}]}, "extraEnv"),
    Refusal("account neither made nor named", {"serviceAccount": {"create": False}}, "serviceAccount.name"),
    Refusal("HTTP peers for a worker", {"networkPolicy": {"httpFrom": []}}, "httpFrom", ("retry-worker", "notifier")),
    Refusal("migrations outside the api", {"migrations": {"enabled": True}}, "migrations", ("retry-worker", "notifier")),
    Refusal("mail server for the api", {"secrets": {"keys": {"SMTP_URL": "k"}}}, "SMTP_URL", ("api", "retry-worker")),
    Refusal("sender without address", {"settings": {"TINKO__MAIL_FROM": "Example Shop"}}, "MAIL_FROM", ("notifier",)),
    Refusal("migration without end", {"migrations": {"activeDeadlineSeconds": 0}}, "activeDeadline", ("api",)),
)
