"""The dashboards' panels, and what each asks Prometheus and Postgres for."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chart_checks.dashboard_files import dashboard_files, panels_in

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Query:
    """One target of a panel. `text` is PromQL, or SQL if `is_sql`."""

    text: str
    is_sql: bool


@dataclass(frozen=True)
class Panel:
    dashboard: str
    title: str
    queries: tuple[Query, ...]

    @property
    def name(self) -> str:
        return f"{self.dashboard}: {self.title}"


def dashboards() -> list[Path]:
    return dashboard_files(ROOT / "helm", ROOT)


def panels_of(path: Path) -> Iterator[Panel]:
    for panel in panels_in(json.loads(path.read_text())["panels"]):
        yield Panel(
            dashboard=path.stem,
            title=panel["title"],
            queries=tuple(query_of(target) for target in panel["targets"]),
        )


def query_of(target: dict[str, Any]) -> Query:
    """With Grafana's variables and macros put in, as they are when a dashboard is opened."""
    if "rawSql" in target:
        text = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 > now() - interval '30 days'", target["rawSql"])
        return Query(text, is_sql=True)
    return Query(target["expr"].replace("$namespace", ".*"), is_sql=False)
