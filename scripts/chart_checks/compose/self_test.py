"""Breaks a copy of the files on purpose, one way at a time, and insists that the checks notice each."""

import shutil
import tempfile
from pathlib import Path

from ..breaks import Break
from .findings import faults_in

# What the checks read and the breaks change; the rest of the tree is linked.
COPIED = ("docker-compose.yml", "docker", ".dockerignore")
LINKED = ("Cargo.toml", "Cargo.lock", "bench", "crates", "helm", "migrations", "proto", "services")


COMPOSE = "docker-compose.yml"
BREAKS = (
    Break(COMPOSE, "services:\n", "servces:\n", "Docker Compose refuses"),
    Break(COMPOSE, "${RABBITMQ_PASSWORD:-tinko-local}", "${RABBITMQ_PASSWORD}", "variable is not set"),
    Break(COMPOSE, "condition: service_healthy", "condition: service_well", "Docker Compose refuses"),
    Break(COMPOSE, "      pgbouncer:\n        condition", "      bouncer:\n        condition", "Docker Compose refuses"),
    Break(COMPOSE, "postgres-data:/var", "other-data:/var", "Docker Compose refuses"),
    Break(COMPOSE, "retries: 20", "retry: 20", "Docker Compose refuses"),
    Break(COMPOSE, "  jaeger:\n    image", "  tracer:\n    image", "no service jaeger"),
    Break(COMPOSE, 'test: ["CMD", "redis-cli", "ping"]', 'test: ["NONE"]', "redis has no health check"),
    Break(COMPOSE, "9090/readyz", "9090/healthz", "not asked for /readyz"),
    Break(COMPOSE, 'restart: "no"', "restart: always", "would be restarted"),
    Break(COMPOSE, "condition: service_completed_successfully", "condition: service_started", "to have ended well"),
    Break(COMPOSE, "      rabbitmq:\n        condition: service_healthy\n", "", "which notifier does not wait for"),
    Break(COMPOSE, "127.0.0.1:5432:5432", "5432:5432", "beyond loopback"),
    Break(COMPOSE, "127.0.0.1:9091:9090", "127.0.0.1:3000:9090", "both publish port 3000"),
    Break(COMPOSE, "redis:7.4-bookworm", "redis:latest", "no fixed tag"),
    Break(COMPOSE, "./docker/pgbouncer/pgbouncer.ini", "./docker/pgbouncer.ini", "which isn't there"),
    Break(COMPOSE, "prometheus.yml:ro", "prometheus.yml", "may write to"),
    Break(COMPOSE, "  grafana-data:\n", "  grafana-data:\n  spare-data:\n", "used by nothing"),
    Break(COMPOSE, "TINKO__MAIL_FROM", "TINKO__MAIL_FORM", "which notifier does not know"),
    Break(COMPOSE, "TINKO__LINK_KEY: ", "TINKO__TRACE_SAMPLE_RATIO: ", "is not given TINKO__LINK_KEY"),
    Break(COMPOSE, "@pgbouncer:6432", "@pgbouncer:5432", "where nothing listens"),
    Break(COMPOSE, "smtp://sandbox", "smtp://mail", "points to mail"),
    Break(COMPOSE, "  read_only: true\n", "", "can write to its root"),
    Break(COMPOSE, "    - ALL", "    - NET_RAW", "keeps capabilities"),
    Break(COMPOSE, "no-new-privileges:true", "no-new-privileges:false", "may gain privileges"),
    Break(COMPOSE, "stop_grace_period: 35s", "stop_grace_period: 20s", "killed after 20 s"),
    Break(COMPOSE, "target: local", "target: lokal", "which sandbox.Dockerfile hasn't"),
    Break("docker/api.Dockerfile", "COPY proto proto", "COPY protos protos", "it isn't there"),
    Break("docker/api.Dockerfile", "COPY bench bench\n", "", "cargo cannot read the workspace"),
    Break("docker/api.Dockerfile", "USER 65532:65532", "USER root", "isn't root"),
    Break("docker/api.Dockerfile", "docker/pack api", "docker/pack notifier", "does not pack api"),
    Break("docker/api.Dockerfile", "--from=build", "--from=builder", "--from=builder"),
    Break("docker/api.Dockerfile", "WORKDIR /src", "WORKDIR src", "DL3000"),
    Break("docker/api.Dockerfile", "FROM service\n", "FROM local\n", "last stage"),
    Break("docker/notifier.Dockerfile", "--locked", "--force", "is not api.Dockerfile with another name"),
    Break("docker/sandbox.Dockerfile", '["/usr/local/bin/sandbox"]', '["/usr/local/bin/api"]', "entry point is not sandbox"),
    Break(".dockerignore", "!services\n", "", ".dockerignore keeps it out"),
    Break("docker/pgbouncer/pgbouncer.ini", "max_prepared_statements = 200", "max_prepared_statements = 0", "unsafe"),
    Break("docker/pgbouncer/pgbouncer.ini", "pool_mode = transaction", "pool_mode = session", "not in transaction mode"),
    Break("docker/prometheus/prometheus.yml", "scrape_timeout: 4s", "scrape_timeout: 9s", "promtool"),
    Break("docker/prometheus/prometheus.yml", "names: [notifier]", "names: [notify]", "does not read notifier"),
    Break("docker/prometheus/prometheus.yml", "names: [api], type: A, port: 9090", "names: [api], type: A, port: 8080", "its admin port"),
    Break("docker/prometheus/rules/api.yml", "expr: ", "exp: ", "promtool"),
    Break(COMPOSE, "./docker/prometheus/rules:", "./docker/prometheus:", "does not have docker/prometheus/rules"),
    Break(COMPOSE, "./helm/api/dashboards:", "./helm/notifier/dashboards:", "the dashboards of the chart api"),
    Break("docker/grafana/provisioning/datasources/tinko.yml", "http://jaeger", "http://tracer", "is no service"),
    Break("docker/grafana/provisioning/datasources/tinko.yml", "uid: prometheus", "uid: prom", "no data source prometheus"),
    Break("docker/grafana/provisioning/dashboards/tinko.yml", "/etc/tinko/dashboards", "/etc/dashboards", "nothing is mounted"),
    Break("docker/grafana/dashboards/tinko.json", "stream_lag", "stream_lags", "nothing writes the metric stream_lags"),
    Break("docker/grafana/dashboards/tinko.json", '"panels": [', '"panels": [,', "is no JSON"),
)


def _copy(root: Path, folder: Path) -> None:
    folder.mkdir()
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name)
        else:
            shutil.copy(root / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(root / name)


def run_self_test(root: Path) -> tuple[int, list[str]]:
    """How many breaks were tried, and those that went unnoticed."""
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for index, each in enumerate(BREAKS):
            broken = Path(folder) / str(index)
            _copy(root, broken)
            missed += each.unnoticed(broken, faults_in)
    return len(BREAKS), missed
