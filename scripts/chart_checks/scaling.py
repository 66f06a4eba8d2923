"""Holds what autoscalers scale by against what the services export and helm/metrics-adapter.yaml hands on."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from .metrics import series_of
from .promql import faults_of_expression
from .render import Rendered

NAMESPACE_MATCHER = 'namespace="payments"'


def _handed_on(helm: Path) -> dict[str, str]:
    """External metrics by name, each as what it is in Prometheus."""
    rules = yaml.safe_load((helm / "metrics-adapter.yaml").read_text())["rules"]["external"]
    return {rule["name"]["as"]: rule["metricsQuery"].replace("<<.LabelMatchers>>", NAMESPACE_MATCHER) for rule in rules}


def _asked(rendered: list[Rendered]) -> Iterator[tuple[str, str]]:
    for each in rendered:
        for hpa in each.of_kind("HorizontalPodAutoscaler"):
            for metric in hpa["spec"]["metrics"]:
                if metric["type"] == "External":
                    yield each.title, metric["external"]["metric"]["name"]


def _queries(rendered: list[Rendered]) -> Iterator[tuple[str, str]]:
    for each in rendered:
        for scaled in each.of_kind("ScaledObject"):
            for trigger in scaled["spec"]["triggers"]:
                if trigger["type"] == "prometheus":
                    yield each.title, trigger["metadata"]["query"]


def faults_of_scaling(helm: Path, root: Path, rendered: list[Rendered]) -> list[str]:
    handed_on, series = _handed_on(helm), series_of(root)
    faults = [
        f"metrics-adapter.yaml: {name} {fault}"
        for name, query in handed_on.items()
        for fault in faults_of_expression(query, series)
    ]
    asked = dict(reversed(pair) for pair in _asked(rendered))
    faults += [f"{title}: scales by {name}, which helm/metrics-adapter.yaml does not hand on"
               for name, title in asked.items() if name not in handed_on]
    faults += [f"helm/metrics-adapter.yaml hands on {name}, by which nothing scales" for name in handed_on.keys() - asked]
    for title, query in _queries(rendered):
        faults += [f"{title}: KEDA's query {fault}" for fault in faults_of_expression(query, series)]
        if query not in handed_on.values():
            faults.append(f"{title}: KEDA asks for {query}, which is no metric of helm/metrics-adapter.yaml")
    return faults
