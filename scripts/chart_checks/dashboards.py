"""Checks the Grafana dashboards: what they ask Prometheus and Postgres for is what the services export and store."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .dashboard_files import dashboard_files, panels_in
from .metrics import series_of
from .promql import faults_of_expression
from .settings import SERVICES

MEASURES = Path("crates/db/src/rollups/measure.rs")
# What the exporter of processes adds in Compose; it is not recorded by our code.
OF_PROCESSES = {"process_cpu_seconds_total": frozenset(), "process_resident_memory_bytes": frozenset()}
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}|\[\[(\w+)\]\]")
_LABEL_SHOWN = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def queries_to_prometheus(dashboard: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Title of the panel, expression, legend."""
    for panel in panels_in(dashboard["panels"]):
        for target in panel.get("targets", []):
            if "expr" in target:
                yield panel["title"], target["expr"], target.get("legendFormat", "")


def statements(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Title of the panel, SQL."""
    for panel in panels_in(dashboard["panels"]):
        for target in panel.get("targets", []):
            if "rawSql" in target:
                yield panel["title"], target["rawSql"]


def _faults(dashboard: dict[str, Any], root: Path) -> Iterator[str]:
    series = dict(series_of(root)) | OF_PROCESSES
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    for panel in panels_in(dashboard["panels"]):
        if not panel.get("targets"):
            yield f"{panel['title']}: asks for nothing"
        for name in _VARIABLE.findall(json.dumps([panel.get("datasource"), panel.get("targets")])):
            if (used := "".join(name)) not in variables and not used.startswith("__"):
                yield f"{panel['title']}: uses ${used}, which the dashboard does not define"
    for title, expression, legend in queries_to_prometheus(dashboard):
        text = _VARIABLE.sub("x", expression)
        for fault in faults_of_expression(text, series):
            yield f"{title}: {fault}"
        for label in _LABEL_SHOWN.findall(legend):
            if not re.search(rf"\bby \([^)]*\b{label}\b[^)]*\)", expression):
                yield f"{title}: the legend shows {label}, by which it does not group"
    measures = set(re.findall(r'=> "(\w+)",', (root / MEASURES).read_text()))
    for title, sql in statements(dashboard):
        for clause in re.findall(r"measure (?:= ('\w+')|IN \(([^)]*)\))", sql):
            for measure in re.findall(r"'(\w+)'", "".join(clause)):
                if measure not in measures:
                    yield f"{title}: asks for the measure {measure}, which nothing counts"


def _promtool_faults(expressions: list[str]) -> Iterator[str]:
    """Prometheus' own parser has the last word; it reads rules, so each expression is made one."""
    rules = [{"record": f"dashboards:query:{index}", "expr": text} for index, text in enumerate(expressions)]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
        if done.returncode:
            yield f"promtool: {done.stderr or done.stdout}"


def faults_of_dashboards(helm: Path, root: Path) -> list[str]:
    faults, uids, expressions = [], {}, []
    for path in dashboard_files(helm, root):
        try:
            dashboard = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            faults.append(f"{path.name}: {error}")
            continue
        faults += [f"{path.name}: {fault}" for fault in _faults(dashboard, root)]
        expressions += [_VARIABLE.sub("x", expression) for _, expression, _ in queries_to_prometheus(dashboard)]
        if (other := uids.setdefault(dashboard["uid"], path.name)) != path.name:
            faults.append(f"{path.name}: has the uid of {other}")
    for service in SERVICES:
        if not list((helm / service / "dashboards").glob("*.json")):
            faults.append(f"{service} has no dashboard")
    faults += _promtool_faults(expressions)
    return [f"dashboards: {fault}" for fault in faults]
