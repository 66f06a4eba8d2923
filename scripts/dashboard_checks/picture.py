"""Draws the dashboards as a run shows them: each panel where Grafana puts it, by the answers to its own queries.

Not Grafana's own rendering, which Debian has no package of; what is seen is whether the panels tell something.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402: the backend is chosen first
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

from . import sources  # noqa: E402
from .panels import query_of  # noqa: E402

COLUMNS = 24
INCHES_A_COLUMN, INCHES_A_ROW = 0.62, 0.42
SECONDS, STEP = 240, 5
MOST_NAMED = 8
LONGEST_NAME = 32


def draw(dashboard: Path, picture: Path) -> None:
    document = json.loads(dashboard.read_text())
    panels = document["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = plt.figure(figsize=(COLUMNS * INCHES_A_COLUMN, rows * INCHES_A_ROW + 0.5), facecolor="white")
    figure.suptitle(document["title"], fontsize=12, y=0.995)
    for panel in panels:
        _panel(figure.add_axes(_place(panel["gridPos"], rows)), panel)
    figure.savefig(picture, dpi=75)
    plt.close(figure)


def _place(grid: dict[str, int], rows: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height as parts of the picture, with room for a title and for the axes."""
    left, top = grid["x"] / COLUMNS, 1 - grid["y"] / rows * 0.97 - 0.02
    width, height = grid["w"] / COLUMNS, grid["h"] / rows * 0.97
    return left + 0.045, top - height + 0.3 / rows * 2, width - 0.06, height - 2.4 / rows


def _panel(axes: Axes, panel: dict[str, Any]) -> None:
    axes.set_title(panel["title"], fontsize=8, loc="left")
    axes.tick_params(labelsize=6)
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short")
    {"stat": _stat, "barchart": _bars}.get(panel["type"], _lines)(axes, panel, unit)


def _lines(axes: Axes, panel: dict[str, Any], unit: str) -> None:
    if any(query_of(target).is_sql for target in panel["targets"]):
        return _days(axes, panel, unit)
    drawn = 0
    for name, points in _series(panel):
        at, values = zip(*points, strict=True)
        axes.plot(at, values, linewidth=1, label=name[:LONGEST_NAME] if drawn < MOST_NAMED else None)
        drawn += 1
    if drawn:
        axes.legend(fontsize=5, loc="upper left", framealpha=0.6)
        axes.set_ylim(bottom=0)
    axes.set_xlim(-SECONDS, 0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:.0f} s"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _said(value, unit)))
    axes.grid(alpha=0.3)
    if not drawn:
        _nothing(axes)


def _days(axes: Axes, panel: dict[str, Any], unit: str) -> None:
    """What Postgres has a row a day of: bars, since a run has one day."""
    totals: dict[str, float] = {}
    for target in panel["targets"]:
        for row in sources.rows(query_of(target).text):
            day = row.pop("time")[: len("2026-01-01")]
            words = [value for value in row.values() if not _is_number(value)]
            for column, value in row.items():
                if _is_number(value):
                    totals[" ".join([day, *(words or [column])])] = float(value)
    if not totals:
        return _nothing(axes)
    _draw_bars(axes, totals, unit)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _series(panel: dict[str, Any]) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Of each, its name as the legend says it, and its values by the seconds before now."""
    now = time.time()
    for target in panel["targets"]:
        query = query_of(target)
        if query.is_sql:
            continue
        for found in sources.over(query.text, now - SECONDS, now, STEP):
            points = [(at - now, float(value)) for at, value in found["values"] if value not in ("NaN", "+Inf")]
            if points:
                yield _named(target.get("legendFormat", ""), found["metric"]), points


def _named(legend: str, labels: dict[str, str]) -> str:
    for label, value in labels.items():
        legend = legend.replace("{{" + label + "}}", value).replace("{{ " + label + " }}", value)
    return legend or ", ".join(labels.values())


def _stat(axes: Axes, panel: dict[str, Any], unit: str) -> None:
    axes.set_axis_off()
    target = panel["targets"][0]
    query = query_of(target)
    if query.is_sql:
        found = [("", next(iter(row.values()))) for row in sources.rows(query.text)]
    else:
        found = [(_named(target.get("legendFormat", ""), it["metric"]), it["value"][1]) for it in sources.now(query.text)]
    said = [(name, _said(float(value), unit)) for name, value in found if value not in ("", "NaN")]
    named = [f"{name} {value}" if len(said) > 1 else value for name, value in said]
    size = 18 if len(named) < 2 else 9
    axes.text(0.5, 0.4, "   ".join(named) or "–", ha="center", va="center", fontsize=size, transform=axes.transAxes)


def _bars(axes: Axes, panel: dict[str, Any], unit: str) -> None:
    rows = sources.rows(query_of(panel["targets"][0]).text)
    if not rows:
        return _nothing(axes)
    name, value = rows[0].keys()
    _draw_bars(axes, {row[name]: float(row[value] or 0) for row in rows}, unit)


def _draw_bars(axes: Axes, values: dict[str, float], unit: str) -> None:
    """Their names stand in them: beside them there is no room."""
    axes.barh(list(values), list(values.values()), color="lightsteelblue")
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, pad=-4)
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _said(value, unit)))


def _nothing(axes: Axes) -> None:
    axes.text(0.5, 0.5, "nothing", ha="center", va="center", fontsize=8, color="gray", transform=axes.transAxes)


def _said(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value * 100:.1f} %"
    if unit == "s":
        return f"{value * 1_000:.0f} ms" if 0 < value < 1 else f"{value:.1f} s"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    return f"{value:g}" if value == int(value) else f"{value:.2f}"
