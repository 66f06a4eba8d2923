"""What must hold for the settings of PgBouncer, Prometheus and Grafana."""

import configparser
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from ..settings import SERVICES
from .project import Project

# Not ours: Prometheus makes `up` for each target.
FOREIGN_METRICS = {"up"}
QUERY_WORDS = {
    "sum", "max", "min", "avg", "count", "by", "without", "rate", "increase", "histogram_quantile", "on", "and", "or",
}


def pooler_is_safe(project: Project) -> Iterator[str]:
    """Transaction mode with prepared statements: anything else runs statements on connections that don't know them."""
    parser = configparser.ConfigParser(comment_prefixes=(";", "#"), interpolation=None)
    parser.read(project.root / "docker" / "pgbouncer" / "pgbouncer.ini")
    settings = parser["pgbouncer"]
    if settings.get("pool_mode") != "transaction":
        yield "PgBouncer is not in transaction mode"
    if settings.getint("max_prepared_statements", fallback=0) <= 0:
        yield "PgBouncer's max_prepared_statements is off, which is unsafe with diesel-async"
    mounts = {config["target"] for config in project.services["pgbouncer"].get("configs", [])}
    if settings.get("auth_file") not in mounts:
        yield f"PgBouncer's auth_file {settings.get('auth_file')} is not one that docker-compose.yml makes"
    if "host=postgres " not in parser["databases"].get("tinko", "") + " ":
        yield "PgBouncer does not lead to the service postgres"


def prometheus_reads_every_service(project: Project) -> Iterator[str]:
    file = project.root / "docker" / "prometheus" / "prometheus.yml"
    done = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield f"promtool: {(done.stdout + done.stderr).strip()}"
        return
    read = {}
    for job in yaml.safe_load(file.read_text())["scrape_configs"]:
        for lookup in job.get("dns_sd_configs", []):
            read |= {name: lookup["port"] for name in lookup["names"]}
        for static in job.get("static_configs", []):
            read |= {target.split(":")[0]: int(target.split(":")[1]) for target in static["targets"]}
    for name in sorted(SERVICES.keys() - read.keys()):
        yield f"Prometheus does not read {name}"
    for name, port in read.items():
        if name not in project.services and name != "127.0.0.1":
            yield f"Prometheus reads {name}, which is no service"
        if name in SERVICES and port != 9090:
            yield f"Prometheus reads {name} on {port}, not on its admin port"


def sources_of(project: Project, service: str) -> set[Path]:
    """What of this checkout is mounted."""
    return {Path(mount["source"]) for mount in project.services[service].get("volumes", []) if mount["type"] == "bind"}


def prometheus_has_the_rules(project: Project) -> Iterator[str]:
    """That they are the charts' is seen to by scripts/check-charts."""
    folder = project.root / "docker" / "prometheus" / "rules"
    if folder not in sources_of(project, "prometheus"):
        yield "Prometheus does not have docker/prometheus/rules"
    for name in SERVICES:
        file = folder / f"{name}.yml"
        done = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield f"promtool: {(done.stdout + done.stderr).strip()}"


def grafana_finds_its_parts(project: Project) -> Iterator[str]:
    provisioning = project.root / "docker" / "grafana" / "provisioning"
    sources = [
        source
        for file in sorted((provisioning / "datasources").glob("*.yml"))
        for source in yaml.safe_load(file.read_text())["datasources"]
    ]
    for source in sources:
        host = re.sub(r"^https?://([^:/]+).*$", r"\1", source["url"])
        if host not in project.services:
            yield f"Grafana's data source {source['name']} is at {host}, which is no service"
    folders = {
        provider["options"]["path"]
        for file in sorted((provisioning / "dashboards").glob("*.yml"))
        for provider in yaml.safe_load(file.read_text())["providers"]
    }
    mounts = {mount["target"] for mount in project.services["grafana"].get("volumes", [])}
    for folder in sorted(folders):
        if not any(Path(mount).is_relative_to(folder) for mount in mounts):
            yield f"Grafana looks for dashboards in {folder}, where nothing is mounted"
    for chart in sorted(SERVICES):
        if project.root / "helm" / chart / "dashboards" not in sources_of(project, "grafana"):
            yield f"Grafana does not have the dashboards of the chart {chart}"
    uids = {source["uid"] for source in sources}
    for file in sorted((project.root / "docker" / "grafana" / "dashboards").glob("*.json")):
        yield from _dashboard_faults(project.root, file, uids)


def _dashboard_faults(root: Path, file: Path, uids: set[str]) -> Iterator[str]:
    try:
        dashboard = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        yield f"{file.name} is no JSON: {error}"
        return
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        yield f"{file.name} has two panels with one id"
    written = _metrics_in_sources(root)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            if target["datasource"]["uid"] not in uids:
                yield f"{file.name}, {panel['title']}: no data source {target['datasource']['uid']}"
            for metric in metrics_in(target["expr"]):
                if metric not in written | FOREIGN_METRICS:
                    yield f"{file.name}, {panel['title']}: nothing writes the metric {metric}"


def metrics_in(expression: str) -> list[str]:
    """The metric names of a query: its words that are neither labels nor the language's own."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on)\s*\([^)]*\)", " ", expression)
    words = re.findall(r"[a-zA-Z_][a-zA-Z0-9_]*", bare)
    return [re.sub(r"_(bucket|sum|count)$", "", word) for word in words if word not in QUERY_WORDS]


def _metrics_in_sources(root: Path) -> set[str]:
    """Every text in the Rust sources that could be a metric's name."""
    names: set[str] = set()
    for part in ("crates", "services"):
        for file in (root / part).glob("*/src/**/*.rs"):
            names.update(re.findall(r'"([a-z][a-z0-9_]*_[a-z0-9_]+)"', file.read_text()))
    return names
