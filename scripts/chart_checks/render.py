"""Renders charts with Helm's own engine, offline."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python
import yaml

NAMESPACE = "payments"

Document = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """One chart under one set of values. `values` are merged with the chart's defaults."""

    chart: str
    case: str
    values: dict[str, Any]
    documents: list[Document]
    notes: str

    def of_kind(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] == kind]

    def is_on(self, group: str) -> bool:
        """Whether a group of values, such as `dashboards`, is enabled."""
        return self.values[group]["enabled"]

    @property
    def workloads(self) -> list[Document]:
        """Everything that holds a pod."""
        return self.of_kind("Deployment") + self.of_kind("Job") + self.of_kind("Pod")

    @property
    def title(self) -> str:
        return f"{self.chart}, {self.case}"


def overlay(base: Any, changes: Any) -> Any:
    """`changes` over `base`, maps merged, everything else replaced: what a second values file does."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    return base | {key: overlay(base.get(key), value) for key, value in changes.items()}


def least_values(chart_dir: Path) -> dict[str, Any]:
    """The least that an install must say, kept beside the chart as Helm's chart-testing tools expect it."""
    return yaml.safe_load((chart_dir / "ci" / "default-values.yaml").read_text())


def render(chart_path: Path, name: str, case: str, release: str, values: dict[str, Any]) -> Rendered:
    """Renders a chart's folder or archive. Raises `helm_python.HelmError` where Helm would refuse."""
    with helm_python.Chart.load(chart_path) as chart:
        manifests = chart.render(values, name=release, namespace=NAMESPACE, is_install=True)
        merged = chart.merge_values(values)
    documents: list[Document] = []
    notes = ""
    for path, text in sorted(manifests.items()):
        if path.endswith("NOTES.txt"):
            notes = text
        else:
            documents.extend(document for document in yaml.safe_load_all(text) if document)
    return Rendered(name, case, merged, documents, notes)


def lint(chart_dir: Path, values: dict[str, Any]) -> list[str]:
    """What `helm lint --strict` objects to; its hints (severity 1) are left out."""
    report = helm_python.lint(chart_dir, values, strict=True, namespace=NAMESPACE)
    return [f"{m['path']}: {m['error']}" for m in report["messages"] if m["severity"] >= 2]
