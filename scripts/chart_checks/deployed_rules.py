"""The rules that the charts deploy, as files that a Prometheus of a drill reads. Run through scripts/drill.

Each chart is rendered by Helm's engine as an install with alerts would be. Times in the rules, `for` and the ranges and
offsets of their expressions, are divided by --faster, but no range is made shorter than SHORTEST_RANGE. Thresholds, which
are what the rules say of the services, stay.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

from .render import least_values, overlay, render
from .settings import SERVICES

ROOT = Path(__file__).resolve().parents[2]
ALERTS_ON = {"prometheusRule": {"enabled": True, "runbooksUrl": "https://example.com/docs/runbooks"}}
MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
# The services try some things again only every 10 s, here as there, and a rate has to see that they go on.
SHORTEST_RANGE = 15_000
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_RANGE = re.compile(r"\[(\d+(?:ms|[smhdw]))\]|\boffset (\d+(?:ms|[smhdw]))")


def shorter(duration: str, faster: int, least: int = 0) -> str:
    number, unit = _DURATION.fullmatch(duration).groups()
    return f"{max(int(number) * MILLISECONDS[unit] // faster, least)}ms"


def in_a_hurry(rule: dict[str, Any], faster: int) -> dict[str, Any]:
    def shortened(match: re.Match[str]) -> str:
        span, offset = match.groups()
        return f"[{shorter(span, faster, SHORTEST_RANGE)}]" if span else f"offset {shorter(offset, faster)}"

    changed = rule | {"expr": _RANGE.sub(shortened, rule["expr"])}
    return changed | {"for": shorter(rule["for"], faster)} if "for" in rule else changed


def deployed_groups(chart: str) -> list[dict[str, Any]]:
    """As an install with alerts has them."""
    folder = ROOT / "helm" / chart
    rendered = render(folder, chart, "drill", "tinko", overlay(least_values(folder), ALERTS_ON))
    return [group for document in rendered.of_kind("PrometheusRule") for group in document["spec"]["groups"]]


def groups_of(chart: str, faster: int) -> list[dict[str, Any]]:
    groups = deployed_groups(chart)
    return [group | {"rules": [in_a_hurry(rule, faster) for rule in group["rules"]]} for group in groups]


def main() -> None:
    parser = argparse.ArgumentParser(prog="deployed_rules", description=__doc__)
    parser.add_argument("--faster", type=int, required=True, help="by what the rules' times are divided")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    for chart in SERVICES:
        groups = groups_of(chart, options.faster)
        (options.folder / f"{chart}.json").write_text(json.dumps({"groups": groups}, indent=1))


if __name__ == "__main__":
    main()
