"""How large Postgres, PgBouncer and Redis are for a load, by what an event costs them."""

from . import charts, rates
from .alternatives import Alternative
from .day import BURST, DAY, HELD_BACK, STEP_S, Day

# Of what is bought, this much stays free at the evening's peak.
HEADROOM = 0.5
UNREAD_S = 3600
POOL = "TINKO__DATABASE_MAX_CONNECTIONS"
KEPT = "TINKO__KEEP_HISTORY_MONTHS"
DAYS_A_MONTH = 30.4
TITLES = (
    "failures a second: the day's mean",
    "the evening's peak",
    "the burst",
    "cores at the peak: api",
    "retry-worker",
    "notifier",
    "cores of Postgres for the peak, half of them free",
    "cores of Postgres for the burst, none free",
    "connections that pods open: least, most replicas",
    "disk a day: rows and indexes",
    "write-ahead log",
    "disk of all rows that are kept",
    "Redis, consumers away for an hour of the peak, half of it free",
)


def size(failures: float, day: Day, of: Alternative) -> list[str]:
    """The cells under TITLES."""
    servers, pool, months = rates.servers(), charts.setting(POOL), charts.setting(KEPT)
    mean = failures / DAY / STEP_S
    peak = max(amount for step, amount in enumerate(day.reports) if step not in BURST and step not in HELD_BACK) / STEP_S
    burst = max(day.reports) / STEP_S
    scaled = of.setup.services.values()
    work = of.rates
    return [
        *(_number(value) for value in (mean, peak, burst)),
        *(_number(peak * cpu) for cpu in (work.api.cpu_s, work.plan.cpu_s + work.charge.cpu_s, work.hand_over.cpu_s)),
        _number(peak * servers.postgres_cpu_s / (1 - HEADROOM)),
        _number(burst * servers.postgres_cpu_s),
        f"{pool * sum(each.least for each in scaled)}, {pool * sum(each.most for each in scaled)}",
        _bytes(failures * servers.row_bytes),
        _bytes(failures * servers.log_bytes),
        f"{_bytes(failures * servers.row_bytes * months * DAYS_A_MONTH)} ({months} months)",
        _bytes(peak * UNREAD_S * servers.redis_bytes / (1 - HEADROOM)),
    ]


def _number(value: float) -> str:
    if value < 0.01:
        return "< 0.01"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"
