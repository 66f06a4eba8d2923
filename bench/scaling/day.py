"""The day that is replayed, in steps.

| from | what |
|---|---|
| 0 h | a quiet night, a peak in the morning, a higher one in the evening: as many failures as the load says |
| 13 h | for three minutes a hundred times the day's mean beside that: a bank is down, and payments fail everywhere |
| 16 h to 17 h | the only PSP is down: it sends no webhooks and takes no charges |
| 17 h | it sends what it has kept within ten minutes, and takes charges again |

A quarter of an hour, or a merchant, that is worse can be had by changing this file.
"""

import math
from dataclasses import dataclass

from . import outage

STEP_S = 5
HOUR = 3600 // STEP_S
DAY = 24 * HOUR
BURST_TIMES = 100
BURST = range(13 * HOUR, 13 * HOUR + 180 // STEP_S)
OUTAGE = range(16 * HOUR, 17 * HOUR)
HELD_BACK = range(17 * HOUR, 17 * HOUR + 600 // STEP_S)

# Assumptions, in which merchants differ widely: how much of what failed is charged again (the rest is written to at once), and
# how much of that is declined again.
CHARGED_AGAIN = 0.6
DECLINED_AGAIN = 0.7
# The default policy: the first charge after an hour, up to a tenth of that later (crates/domain/src/policy/document.rs).
CHARGE_AFTER = 1 * HOUR
JITTER = CHARGE_AFTER // 10


@dataclass(frozen=True)
class Day:
    """For each step: failures that come to the api, charges that come due while the PSP answers, and those that come due while it
    does not, so that they are put off."""

    reports: list[float]
    charges: list[float]
    put_off: list[float]


def day(failures: float) -> Day:
    reports = _reports(failures)
    due = _due(reports)
    charges, put_off = outage.with_put_off(due, OUTAGE, STEP_S)
    return Day(reports, charges, put_off)


def _reports(failures: float) -> list[float]:
    shape = [_shape(step / HOUR) for step in range(DAY)]
    each = failures / sum(shape)
    reports = [each * value for value in shape]
    for step in BURST:
        reports[step] += BURST_TIMES * failures / DAY
    kept = sum(reports[step] for step in OUTAGE)
    for step in OUTAGE:
        reports[step] = 0
    for step in HELD_BACK:
        reports[step] += kept / len(HELD_BACK)
    return reports


def _shape(hour: float) -> float:
    """At 3 h a fifth of the evening's peak."""
    return 0.2 + 0.5 * _bell(hour, 10, 2) + 0.8 * _bell(hour, 20, 2)


def _bell(hour: float, middle: float, width: float) -> float:
    return math.exp(-(((hour - middle) / width) ** 2) / 2)


def _due(reports: list[float]) -> list[float]:
    """The jitter spreads evenly, so a charge is due with the same chance in each step of it. Yesterday was the same day."""
    window = sum(reports[-CHARGE_AFTER - JITTER : -CHARGE_AFTER])
    due = []
    for step in range(DAY):
        window += reports[step - CHARGE_AFTER] - reports[step - CHARGE_AFTER - JITTER]
        due.append(max(0.0, window) * CHARGED_AGAIN / JITTER)
    return due
