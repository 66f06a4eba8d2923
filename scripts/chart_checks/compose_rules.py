"""The charts' alerts for the Prometheus of docker-compose.yml, which has no operator that would read them from a cluster."""

from pathlib import Path
from typing import Any

import yaml

from .deployed_rules import deployed_groups
from .settings import SERVICES
from .snapshots import differences

HEAD = "# What the chart of {chart} alerts about. Written by scripts/check-charts --update.\n"


def _at_home(rule: dict[str, Any]) -> dict[str, Any]:
    """The runbook is the one of this checkout."""
    if "annotations" not in rule:
        return rule
    runbook = Path(rule["annotations"]["runbook_url"]).name
    return rule | {"annotations": rule["annotations"] | {"runbook_url": f"docs/runbooks/{runbook}"}}


def _text(chart: str) -> str:
    groups = [group | {"rules": [_at_home(rule) for rule in group["rules"]]} for group in deployed_groups(chart)]
    return HEAD.format(chart=chart) + yaml.safe_dump({"groups": groups}, sort_keys=False, width=120)


def faults_of_compose_rules(root: Path, update: bool) -> list[str]:
    """What differs from the charts; nothing once it is rewritten."""
    faults = []
    for chart in SERVICES:
        path = root / "docker" / "prometheus" / "rules" / f"{chart}.yml"
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_text(_text(chart))
            continue
        committed = path.read_text() if path.exists() else ""
        faults += differences(committed, _text(chart), f"docker/prometheus/rules/{path.name}")
    return faults
