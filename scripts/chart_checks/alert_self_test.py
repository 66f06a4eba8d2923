"""Breaks a copy of the alert rules, of their tests and of the dashboards on purpose and insists that the checks notice."""

import shutil
import tempfile
from pathlib import Path

from .alerts import faults_of_alerts
from .breaks import Break
from .dashboards import faults_of_dashboards

OUTBOX, EVERY = "retry-worker/rules/outbox.yaml", "tinko-common/rules/every-service.yaml"

BREAKS = (
    Break(OUTBOX, "max by (namespace) (outbox_oldest", "max by (namespace (outbox_oldest", "promtool"),
    Break(OUTBOX, "for: 2m", "for: two minutes", "promtool"),
    Break(OUTBOX, "$value | humanizeDuration", "$value | humanizeLength", "promtool"),
    Break(OUTBOX, "outbox_oldest_unpublished_seconds", "outbox_oldest_unpublished_secs", "no service exports"),
    Break(OUTBOX, "outbox_oldest_unpublished_seconds", "webhooks_total", "no service exports"),
    Break(OUTBOX, 'kind="lost"', 'sort="lost"', "for the label sort"),
    Break(OUTBOX, "sum by (namespace)", "sum by (stream)", "groups by stream"),
    Break(OUTBOX, "severity: critical", "severity: high", "has the severity high"),
    Break(OUTBOX, "service: retry-worker", "service: worker", "has the label service: worker"),
    Break(OUTBOX, "runbook_url: RUNBOOKS/outbox-growing.md", "url: x", "has no runbook_url"),
    Break(OUTBOX, "outbox-growing.md", "outbox-grows.md", "runbook that isn't there"),
    Break(OUTBOX, "RUNBOOKS/outbox", "docs/runbooks/outbox", "runbook that isn't there"),
    Break(OUTBOX, "The oldest has", "{{ $labels.stream }} has", "the label stream"),
    Break(OUTBOX, "summary: Events have", "about: Events have", "has no summary"),
    Break(OUTBOX, "        for: 2m\n", "", "for how long"),
    Break(OUTBOX, "TinkoOutboxNotPublished", "OutboxNotPublished", "is not named Tinko"),
    Break(OUTBOX, "TinkoOutboxNotPublished", "TinkoServiceDown", "is in retry-worker"),
    Break(OUTBOX, "TinkoOutboxNotPublished", "TinkoOutboxStands", "sees TinkoOutboxStands fire"),
    Break(OUTBOX, "> 60", "> 1", "got:["),
    Break(OUTBOX, "> 60", "> 600", "got:["),
    Break(EVERY, "db_pool_wait_seconds_bucket", "stream_handle_seconds", "no service exports"),
    Break(EVERY, 'service: "SERVICE"', "service: api", "not SERVICE"),
    Break("tests/alerts/outbox.yaml", "eval_time: 10m\n        exp_alerts: []", "eval_time: 25m\n        exp_alerts: [{}]", "keep quiet"),
    Break("tests/alerts/outbox.yaml", "alertname: TinkoOutboxNotPublished", "alertname: TinkoOutbox", "which no rule makes"),
)

API, BUSINESS = "api/dashboards/api.json", "api/dashboards/business.json"
DASHBOARD_BREAKS = (
    Break(API, "payments_twice_total{", "payments_thrice_total{", "no service exports"),
    Break(API, "by (provider, fact)", "by (provider, facts)", "groups by facts"),
    Break(API, "{{provider}} {{fact}}", "{{provider}} {{kind}}", "the legend shows kind"),
    Break(API, "sum(increase(payments_twice_total", "sum increase(payments_twice_total", "does not parse"),
    Break(API, 'namespace=~\\"$namespace\\"', 'namespace=~\\"$space\\"', "uses $space"),
    Break(API, '"uid": "tinko-api"', '"uid": "tinko-business"', "has the uid of"),
    Break(API, '"panels": [', '"panels": [,', "Expecting"),
    Break(BUSINESS, "measure = 'won'", "measure = 'lost'", "the measure lost"),
)


def _copy(helm: Path, to: Path) -> Path:
    """What the checks of the alerts read."""
    for part in ("rules", "alerts", "dashboards"):
        for source in helm.glob(f"*/{part}"):
            shutil.copytree(source, to / source.relative_to(helm), symlinks=True)
    return to


def run_alert_self_test(helm: Path, root: Path) -> tuple[int, list[str]]:
    """How many breaks were tried, and those that went unnoticed."""
    missed = []
    alerts = lambda copy: faults_of_alerts(copy, root, tests="outbox")
    dashboards = lambda copy: faults_of_dashboards(copy, root)
    with tempfile.TemporaryDirectory() as folder:
        for index, each in enumerate(BREAKS + DASHBOARD_BREAKS):
            broken = _copy(helm, Path(folder) / str(index))
            missed += each.unnoticed(broken, dashboards if each in DASHBOARD_BREAKS else alerts)
        parted = _copy(helm, Path(folder) / "parted")
        (parted / "api" / "rules" / "every-service.yaml").unlink()
        if not any("api/rules/every-service.yaml must be" in fault for fault in alerts(parted)):
            missed.append("a chart without the rules that all share passed")
    return len(BREAKS + DASHBOARD_BREAKS) + 1, missed
