"""Where the Grafana dashboards are, and their panels. Needs no package, so that what runs beside a drill can read it too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .settings import SERVICES


def dashboard_files(helm: Path, root: Path) -> list[Path]:
    charts = [path for service in SERVICES for path in (helm / service / "dashboards").glob("*.json")]
    return sorted(charts) + sorted((root / "docker" / "grafana" / "dashboards").glob("*.json"))


def panels_in(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """With those that lie in rows."""
    for panel in panels:
        yield panel
        yield from panels_in(panel.get("panels", []))
