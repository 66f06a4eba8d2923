"""Runs every query of the dashboards against a Prometheus and a Postgres that watched real services under load.

Run through scripts/check-dashboards, while they run: their addresses are in PROMETHEUS_URL and DATABASE_URL. With a folder as
its argument it draws each dashboard there as well.
"""

import sys
import time
from pathlib import Path

from . import sources
from .panels import Panel, Query, dashboards, panels_of

SECONDS = 120
# Panels that may show nothing, by why there is nothing to show.
NOTHING_WENT_WRONG = "nothing of the kind went wrong in the run"
NO_COLLECTOR = "the run has no trace collector"
NOT_OURS = "exporters of the processes and of RabbitMQ are in Compose alone"
MAY_BE_EMPTY = {
    "api: Requests without 5xx, 30 days": NOTHING_WENT_WRONG,
    "api: Payments made twice, 24 hours": NOTHING_WENT_WRONG,
    "api: Followers of the stream": "nobody follows the stream",
    "api: Routes with errors": NOTHING_WENT_WRONG,
    "api: Webhooks refused": NOTHING_WENT_WRONG,
    "api: Failures whose code no table knows": NOTHING_WENT_WRONG,
    "api: Requests over their rate": NOTHING_WENT_WRONG,
    "api: Tries refused at the doors": NOTHING_WENT_WRONG,
    "api: Receipts and replies": "no payer replies, and no provider sends a receipt for a mail that arrived",
    "api: Spans": NO_COLLECTOR,
    "notifier: Unconfirmed, 24 hours": NOTHING_WENT_WRONG,
    "notifier: Mails to merchants' people": "no person logs in",
    "notifier: Spans": NO_COLLECTOR,
    "retry-worker: Charges held back": "no card comes to its network's limit",
    "retry-worker: Comparisons with the providers": "the first comparison of an organization comes within a day",
    "retry-worker: Streams: deliveries that failed": NOTHING_WENT_WRONG,
    "retry-worker: Published again by the sweeper": NOTHING_WENT_WRONG,
    "retry-worker: Spans": NO_COLLECTOR,
    "tinko: Failed deliveries": NOTHING_WENT_WRONG,
    "tinko: CPU": NOT_OURS,
    "tinko: Memory": NOT_OURS,
}


def shows(query: Query) -> bool:
    """Whether there is anything to see; a query that does not read raises."""
    if query.is_sql:
        return any(value for row in sources.rows(query.text) for value in row.values())
    return any(series["value"][1] != "NaN" for series in sources.now(query.text))


def empty(panels: list[Panel]) -> list[Panel]:
    """Those that show nothing yet, by none of their queries."""
    return [panel for panel in panels if not any(shows(query) for query in panel.queries)]


def draw(folder: Path) -> None:
    """Draws them, once the run has gone on for as long as the pictures show."""
    from .picture import SECONDS as SHOWN
    from .picture import draw as draw_one

    time.sleep(SHOWN)
    folder.mkdir(parents=True, exist_ok=True)
    for dashboard in dashboards():
        draw_one(dashboard, folder / f"{dashboard.stem}.png")


def main() -> None:
    panels = [panel for path in dashboards() for panel in panels_of(path)]
    unknown = MAY_BE_EMPTY.keys() - {panel.name for panel in panels}
    faults = [f"{name} may be empty, and is no panel" for name in sorted(unknown)]
    waiting = [panel for panel in panels if panel.name not in MAY_BE_EMPTY]
    deadline = time.time() + SECONDS
    try:
        while (waiting := empty(waiting)) and time.time() < deadline:
            time.sleep(1)
        seldom = empty([panel for panel in panels if panel.name in MAY_BE_EMPTY])
    except sources.Refused as refusal:
        sys.exit(f"dashboards: {refusal}")
    faults += [f"{panel.name}: shows nothing after {SECONDS} s of load" for panel in waiting]
    for fault in faults:
        print(f"dashboards: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]))
    queries = sum(len(panel.queries) for panel in panels)
    told = ", ".join(panel.name for panel in seldom)
    print(f"dashboards: {queries} queries of {len(panels)} panels run; legitimately empty: {told}")


if __name__ == "__main__":
    main()
